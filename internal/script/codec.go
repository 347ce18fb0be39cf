package script

import (
	"bytes"
	"crypto/md5"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"gopptp/internal/menu"
)

// decoders and encoders are the forms of a text, raw left out.
var (
	decoders = map[string]func(string) (string, error){
		"base32": func(s string) (string, error) {
			b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(s, "="))
			return string(b), err
		},
		"base64": func(s string) (string, error) {
			b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
			return string(b), err
		},
		"hex": func(s string) (string, error) {
			b, err := hex.DecodeString(s)
			return string(b), err
		},
		"url": url.PathUnescape,
	}
	encoders = map[string]func(string) string{
		"base32": func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) },
		"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"hex":    func(s string) string { return hex.EncodeToString([]byte(s)) },
		"url":    func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") },
	}
	transforms = map[string]func(string) string{
		"lc": strings.ToLower,
		"uc": strings.ToUpper,
		"md5": func(s string) string {
			sum := md5.Sum([]byte(s)) // insecure: to name things, as others do
			return hex.EncodeToString(sum[:])
		},
		"sha512": func(s string) string {
			sum := sha512.Sum512([]byte(s))
			return hex.EncodeToString(sum[:])
		},
		"reverse": func(s string) string {
			b := []byte(s)
			slices.Reverse(b)
			return string(b)
		},
		"rot13": func(s string) string { return string(bytes.Map(rot13, []byte(s))) },
	}
)

// rot13 moves a letter by half the alphabet.
func rot13(c rune) rune {
	switch {
	case 'a' <= c && c <= 'z':
		return 'a' + (c-'a'+13)%26
	case 'A' <= c && c <= 'Z':
		return 'A' + (c-'A'+13)%26
	}
	return c
}

// word gives an argument that is one of the words of its type, or other if it is
// not there.
func (r run) word(c *menu.Call, name, other string) (string, error) {
	e := argument(c, name)
	if e == nil {
		return other, nil
	}
	v, err := r.evaluate(e)
	if err != nil {
		return "", err
	}
	text, err := c.Command.Arg(name).Type.Parse(name, v.join(","), nil)
	return text, r.at(e.Position(), err)
}

// recode carries out :convert.
func (r run) recode(c *menu.Call) (Value, error) {
	v, err := r.value(c, "value")
	if err != nil {
		return Value{}, err
	}
	from, err := r.word(c, "from", "raw")
	if err != nil {
		return Value{}, err
	}
	to, err := r.word(c, "to", "raw")
	if err != nil {
		return Value{}, err
	}
	transform, err := r.word(c, "transform", "none")
	if err != nil {
		return Value{}, err
	}
	text := v.String()
	if decode := decoders[from]; decode != nil {
		if text, err = decode(text); err != nil {
			return Value{}, r.at(c.Pos, menu.Errorf(menu.BadArgument, "invalid value for argument value"))
		}
	}
	if change := transforms[transform]; change != nil {
		text = change(text)
	}
	if encode := encoders[to]; encode != nil {
		text = encode(text)
	}
	v, err = bounded(text)
	return v, r.at(c.Pos, err)
}
