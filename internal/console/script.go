package console

import (
	"fmt"
	"io"
)

// ReadScript reads a script to the end of in, to be given to Exec as one command:
// it is parsed as a whole before anything of it runs.
func ReadScript(in io.Reader) ([]string, error) {
	b, err := io.ReadAll(io.LimitReader(in, MaxScript+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the script: %w", err)
	case len(b) > MaxScript:
		return nil, fmt.Errorf("the script is longer than %d octets", MaxScript)
	}
	return []string{string(b)}, nil
}
