package console

import (
	"context"
	"fmt"

	"gopptp/internal/terminal"
	"gopptp/internal/tree"
)

// safe reports whether the session has safe mode.
func (s *Session) safe() bool { return s.safeMode != nil && s.safeMode.Held() }

// release ends safe mode, if the session has it, and keeps what was changed.
func (s *Session) release() {
	if s.safe() {
		s.safeMode.Release()
	}
}

// unroll ends safe mode, if the session has it, and takes back what was changed. The
// log tells if that fails: nobody is there any more.
func (s *Session) unroll() {
	if s.safe() {
		_ = s.safeMode.Unroll()
	}
}

// hijackQuestion is asked when another session has safe mode.
const hijackQuestion = "Hijacking Safe Mode from someone - unroll/release/don't take it [u/r/d]: "

// hijacks are the answers but d.
var hijacks = map[string]tree.Hijack{"u": tree.HijackUnroll, "r": tree.HijackRelease}

// SafeMode takes safe mode, or releases it and keeps what was changed.
func (s shell) SafeMode(ctx context.Context, out *terminal.Output) error {
	if s.safe() {
		s.release()
		_, err := fmt.Fprintln(out, "[Safe Mode released]")
		return err
	}
	taken, err := s.tree.TakeSafeMode(s.user, tree.NoHijack, s.terminal.Notify)
	if err != nil {
		return err
	}
	if taken == nil {
		answer, err := out.Ask(ctx, terminal.Question{Prompt: hijackQuestion, Keys: "urd"})
		if err != nil {
			return err
		}
		how, wanted := hijacks[answer]
		if !wanted {
			return nil
		}
		if taken, err = s.tree.TakeSafeMode(s.user, how, s.terminal.Notify); err != nil {
			return err
		}
	}
	s.safeMode = taken
	_, err = fmt.Fprintln(out, "[Safe Mode taken]")
	return err
}
