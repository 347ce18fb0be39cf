package wire

import "testing"

// The numbers of RFC 2637, section 2.16.
func TestErrorCode(t *testing.T) {
	for i, want := range []string{"None", "Not-Connected", "Bad-Format", "Bad-Value", "No-Resource", "Bad-Call ID", "PAC-Error"} {
		if got := ErrorCode(i).String(); got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
}
