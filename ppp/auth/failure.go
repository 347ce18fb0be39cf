package auth

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// The error numbers of a Failure packet (RFC 2433, section 7; RFC 2759, section
// 6).
const (
	CodeRestrictedHours = 646
	CodeDisabled        = 647
	CodePasswordExpired = 648
	CodeNoDialIn        = 649
	CodeAuthFailure     = 691
	CodeChangePassword  = 709
)

var codeText = map[int]string{
	CodeRestrictedHours: "restricted logon hours",
	CodeDisabled:        "account disabled",
	CodePasswordExpired: "password expired",
	CodeNoDialIn:        "no dial-in permission",
	CodeAuthFailure:     "authentication failure",
	CodeChangePassword:  "changing password",
}

// A Failure is the message of a Failure packet of MS-CHAP (RFC 2433, section 7;
// RFC 2759, section 6). RADIUS carries the same text in MS-CHAP-Error.
type Failure struct {
	Code      int
	Retry     bool   // the server would take another response
	Challenge []byte // what that response would have to answer
	Version   int    // which Change-Password packet the server takes
	Message   string // hostile text when parsed
}

// ParseFailure reads a message as leniently as it can be read: fields in any
// order and case, any of them missing. Text without any field is all Message.
// The result is bounded by the input.
func ParseFailure(s string) Failure {
	var f Failure
	known := false
	rest := s
	for rest != "" {
		rest = strings.TrimLeft(rest, " ")
		if len(rest) < 2 || rest[1] != '=' {
			// Not a field; take the word for noise and go on after it.
			_, rest, _ = strings.Cut(rest, " ")
			continue
		}
		if rest[0]|0x20 == 'm' { // the message has spaces and is last
			f.Message, known = rest[2:], true
			break
		}
		letter := rest[0] | 0x20
		var value string
		value, rest, _ = strings.Cut(rest[2:], " ")
		switch letter {
		case 'e':
			f.Code, known = number(value), true
		case 'r':
			f.Retry, known = value == "1", true
		case 'c':
			if c, err := hex.DecodeString(value); err == nil {
				f.Challenge = c
			}
			known = true
		case 'v':
			f.Version, known = number(value), true
		}
	}
	if !known {
		return Failure{Message: s}
	}
	return f
}

// number reads a number of up to ten digits, RFC 2759's bound; anything else is
// zero.
func number(s string) int {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

// String gives the message's wire form. The field M is left out if empty, since
// version 1 does not have it.
func (f Failure) String() string {
	retry := 0
	if f.Retry {
		retry = 1
	}
	s := fmt.Sprintf("E=%d R=%d C=%X V=%d", f.Code, retry, f.Challenge, f.Version)
	if f.Message != "" {
		s += " M=" + f.Message
	}
	return s
}
