package wire

import "fmt"

// An ErrorCode is a general error code (RFC 2637, section 2.16). It has a
// meaning where the result code says General Error.
type ErrorCode uint8

// The general error codes.
const (
	ErrorNone         ErrorCode = 0
	ErrorNotConnected ErrorCode = 1
	ErrorBadFormat    ErrorCode = 2
	ErrorBadValue     ErrorCode = 3
	ErrorNoResource   ErrorCode = 4
	ErrorBadCallID    ErrorCode = 5
	ErrorPACError     ErrorCode = 6
)

// String gives the RFC's name of the code.
func (e ErrorCode) String() string {
	switch e {
	case ErrorNone:
		return "None"
	case ErrorNotConnected:
		return "Not-Connected"
	case ErrorBadFormat:
		return "Bad-Format"
	case ErrorBadValue:
		return "Bad-Value"
	case ErrorNoResource:
		return "No-Resource"
	case ErrorBadCallID:
		return "Bad-Call ID"
	case ErrorPACError:
		return "PAC-Error"
	}
	return fmt.Sprintf("error code %d", uint8(e))
}
