package auth

// The codes of PAP (RFC 1334, section 2.2).
const (
	papAuthenticateRequest = 1
	papAuthenticateAck     = 2
	papAuthenticateNak     = 3
)

// maxField is what the length octets of PAP can say (RFC 1334, section 2.2). It
// bounds names in the other methods too, where RFC 2759, section 4 has 256
// characters.
const maxField = 255

// A papRequest is the data of an Authenticate-Request (RFC 1334, section 2.2.1).
type papRequest struct{ name, password string }

// Parse reads b; it retains nothing of it.
func (r *papRequest) Parse(b []byte) (rest []byte, err error) {
	name, b, ok := counted(b)
	if !ok {
		return nil, ErrMalformed
	}
	password, b, ok := counted(b)
	if !ok {
		return nil, ErrMalformed
	}
	*r = papRequest{string(name), string(password)}
	return b, nil
}

// Append appends the wire form. Both fields are at most maxField octets.
func (r *papRequest) Append(b []byte) []byte {
	b = append(b, byte(len(r.name)))
	b = append(b, r.name...)
	b = append(b, byte(len(r.password)))
	return append(b, r.password...)
}

// counted takes a string from b whose first octet is its length.
func counted(b []byte) (s, rest []byte, ok bool) {
	if len(b) == 0 || len(b)-1 < int(b[0]) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}

// papMessage reads the message of an Ack or Nak (RFC 1334, section 2.2.2). It
// "MUST NOT affect operation of the protocol", so it is not worth an error:
// some peers leave its length out, and a length that lies is cut to what is
// there.
func papMessage(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return string(b[1:][:min(len(b)-1, int(b[0]))])
}

// appendPAPMessage appends the data of an Ack or Nak.
func appendPAPMessage(b []byte, message string) []byte {
	message = message[:min(len(message), maxField)]
	return append(append(b, byte(len(message))), message...)
}
