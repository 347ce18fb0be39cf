package console

import (
	"fmt"
	"io"
)

// ReadScript reads a script to the end of in, to be given to Exec as one command:
// it is parsed as a whole before anything of it runs.
func ReadScript(in io.Reader) ([]string, error) {
	b, err := io.ReadAll(io.LimitReader(in, MaxLine+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the script: %w", err)
	case len(b) > MaxLine:
		return nil, fmt.Errorf("the script is longer than %d octets", MaxLine)
	}
	return []string{string(b)}, nil
}
