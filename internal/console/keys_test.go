package console

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"gopptp/internal/tree"
)

// another sits down at another terminal of the same system.
func (k *keyboard) another() *keyboard {
	k.Helper()
	return sitAt(k.T, k.socket, k.World, 24, 80)
}

// logs waits until an entry is in the log.
func (k *keyboard) logs(text string) {
	k.Helper()
	eventually(k.T, "the log has "+text, func() bool {
		for _, e := range k.Journal.Entries() {
			if strings.Contains(e.Topics+" "+e.Message, text) {
				return true
			}
		}
		return false
	})
}

// TestSafeMode takes safe mode, keeps what it changed and loses what it changed.
func TestSafeMode(t *testing.T) {
	k := sit(t, 24, 80)
	k.types("/system/identity\r\x18")
	k.sees("\r\n[Safe Mode taken]\r\n[admin@gopptp] <SAFE> /system/identity> ")
	k.types("set name=kept\r")
	k.sees("[admin@kept] <SAFE> /system/identity> ")
	k.types("\x18")
	k.sees("[Safe Mode released]\r\n[admin@kept] /system/identity> ")
	k.types("/\r\x18set name=gone\r")
	k.sees("\r\n[admin@kept] <SAFE> > ") // the menu is the root: there is no set
	k.types("/system/identity/set name=gone\r")
	k.sees("[admin@gone] <SAFE> > ")
	k.types("\x04")
	if err := <-k.done; err != nil {
		t.Error(err)
	}
	k.done <- nil
	eventually(t, "the change is taken back", func() bool { return k.Tree.Identity() == "kept" })
	k.logs("system,info safe mode taken by console:admin")
	k.logs("system,info safe mode unrolled by console:admin")
}

// TestSafeModeEnds loses the connection in safe mode, and says quit in it.
func TestSafeModeEnds(t *testing.T) {
	k := sit(t, 24, 80)
	k.types("\x1b[14~/system/identity/set name=gone\r")
	k.sees("[admin@gone] <SAFE> > ")
	k.lose()
	eventually(t, "the change is taken back", func() bool { return k.Tree.Identity() == "gopptp" })
	k.logs("user admin logged out via local")
	k = k.another()
	k.types("\x18/system/identity/set name=kept\r/quit\r")
	if err := <-k.done; err != nil {
		t.Error(err)
	}
	k.done <- nil
	if got := k.Tree.Identity(); got != "kept" {
		t.Errorf("the identity is %s", got)
	}
	k.logs("safe mode released by console:admin")
}

// TestSafeModeIsHijacked gives the three answers.
func TestSafeModeIsHijacked(t *testing.T) {
	first := sit(t, 24, 80)
	first.types("\x18/system/identity/set name=one\r")
	first.sees("[admin@one] <SAFE> > ")
	second := first.another()
	second.types("\x18")
	second.sees("\r\n" + hijackQuestion)
	second.types("x")
	second.sees(hijackQuestion + "\a")
	second.types("d")
	second.sees(hijackQuestion + "\ad\r\n[admin@one] > ")
	second.types("\x18r")
	second.sees("[Safe Mode taken]\r\n[admin@one] <SAFE> > ")
	first.sees("[Safe mode released by another user]\r\n[admin@one] > ")
	second.types("/system/identity/set name=two\r")
	second.sees("[admin@two] <SAFE> > ")
	first.types("\x18u")
	first.sees("[Safe Mode taken]\r\n[admin@one] <SAFE> > ")
	second.sees("[Safe mode released by another user]\r\n[admin@one] > ")
	first.types("\x18")
	first.sees("[Safe Mode released]\r\n[admin@one] > ")
}

// TestQuestions gives what a command lacks when it is asked for.
func TestQuestions(t *testing.T) {
	k := sit(t, 24, 80)
	k.types("/ppp/secret/add\r")
	k.sees("\r\nname: ")
	k.types("anna\r/ppp/secret\radd name=bob\rset comment=x\r")
	k.sees("\r\nnumbers: ")
	k.types("0,bob\r")
	k.sees("\r\n[admin@gopptp] /ppp/secret> ")
	k.types(":put ([get anna comment] . [get bob comment])\r")
	k.sees("xx\r\n[admin@gopptp] /ppp/secret> ")
	k.types("set comment=y\r")
	k.sees("\r\nnumbers: ")
	k.types("anna,b\t")
	k.sees("numbers: anna,bob")
	k.types("\r")
	k.sees("\r\n[admin@gopptp] /ppp/secret> ")
	k.types("remove\r\x03")
	k.sees("numbers: \r\ninterrupted\r\n[admin@gopptp] /ppp/secret> ")
	k.types("remove\r\r")
	k.sees("missing value(s) of argument(s) numbers\r\n[admin@gopptp] /ppp/secret> ")
	k.types("remove\rnosuch\r")
	k.sees("no such item\r\n[admin@gopptp] /ppp/secret> ")
	k.types("remove [find name=nosuch]\r:put done\r")
	k.sees("done\r\n[admin@gopptp] /ppp/secret> ")
	k.types("/user/add name=eve group=read\rtop secret\r")
	k.sees("password: \r\n[admin@gopptp] /ppp/secret> ")
	k.types("/user/remove eve\r:put [:len [/user/find]]\r")
	k.sees("0\r\n[admin@gopptp] /ppp/secret> ")
	if strings.Contains(k.out.String(), "top secret") {
		t.Error("the password was shown")
	}
	var out, errOut bytes.Buffer // a program is asked nothing
	if Exec(t.Context(), k.socket, []string{"/ppp/secret/remove"}, &out, &errOut) != 1 || errOut.String() != "missing value(s) of argument(s) numbers\n" {
		t.Errorf("%q, %q", &out, &errOut)
	}
}

// TestEdit edits a comment and a profile on the whole screen, and a wrong value.
func TestEdit(t *testing.T) {
	k := sit(t, 10, 60)
	k.types("/ppp/secret/add name=anna comment=one\r/ppp/secret/edit anna comment\r")
	k.sees("\x1b[1;1H")
	k.types("\x05 two\rthree\x0f")
	k.sees("\x1b[H\x1b[2J[admin@gopptp] > ")
	k.types(":put [/ppp/secret/get anna comment]\r")
	k.sees("one two\r\nthree\r\n[admin@gopptp] > ")
	k.types("/ppp/secret/edit anna\r")
	k.sees("value-name: ")
	k.types("disabled\r")
	k.sees("\x1b[1;1H")
	if !strings.Contains(k.out.String(), "\x1b[1;1Hno\x1b[K") {
		t.Error("a bool is not edited in the console's words")
	}
	k.types("\x1b[3~\x1b[3~perhaps\x0f")
	k.sees("input does not match any value of disabled\r\n[admin@gopptp] > ")
	k.types("/ppp/secret/edit anna comment\r")
	k.sees("\x1b[1;1H")
	k.types("nothing\x03:put [/ppp/secret/get anna comment]\r")
	k.sees("one two\r\nthree\r\n[admin@gopptp] > ")
	k.types("/system/identity/edit name\r")
	k.sees("\x1b[1;1H")
	if err := pty.Setsize(k.master, &pty.Winsize{Rows: 5, Cols: 20}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the small screen", func() bool { return strings.Contains(k.out.String(), "\x1b[5;1HC-c quit C-o save&q\x1b[K\x1b[1;1H") })
	k.types("\x0bother\x0f")
	k.sees("[admin@other] > ")
	var out, errOut bytes.Buffer
	if Exec(t.Context(), k.socket, []string{"/system/identity/edit name"}, &out, &errOut) != 1 || errOut.String() != "failure: edit needs a terminal\n" {
		t.Errorf("%q, %q", &out, &errOut)
	}
}

// TestPastes pastes several lines with what would complete and ask for help.
func TestPastes(t *testing.T) {
	k := sit(t, 24, 80)
	k.types("\x1b[200~/ppp/secret/add\tname=a\r:put \"ok?\"\r:put la\x1b[201~")
	k.sees(":put la")
	k.types("st\r")
	k.sees("last\r\n[admin@gopptp] > ")
	if out := k.out.String(); !strings.Contains(out, "ok?\r\n") || strings.Contains(out, "--") {
		t.Errorf("the screen was sent %q", out)
	}
	k.types(":put [/ppp/secret/find]\r")
	k.sees("*1\r\n[admin@gopptp] > ")
}

// TestEcho shows an entry of the log above the line that is typed.
func TestEcho(t *testing.T) {
	k := sit(t, 24, 80)
	k.types("/ppp/sec")
	k.sees("> /ppp/sec")
	eventually(t, "the entry is shown", func() bool { // what carries out the rules may begin a moment later
		k.Journal.Addf("system,error,critical", "login failure for user x from 192.0.2.1 via api")
		time.Sleep(20 * time.Millisecond)
		return strings.Contains(k.out.String(), " echo: system,error,critical login failure for user x from 192.0.2.1 via api\r\n[admin@gopptp] > /ppp/sec")
	})
}

// TestLocalSessions checks who is in: whoever types, and no program.
func TestLocalSessions(t *testing.T) {
	k := sit(t, 24, 80)
	k.types(":put [/user/active/get 0 via]\r")
	k.sees("console\r\n[admin@gopptp] > ")
	k.logs("system,info,account user admin logged in via local")
	n := len(k.Journal.Entries())
	var out, errOut bytes.Buffer
	if Exec(t.Context(), k.socket, []string{":put [:len [/user/active/find]]"}, &out, &errOut) != 0 || out.String() != "1\n" {
		t.Errorf("%q, %q", &out, &errOut)
	}
	if got := k.Journal.Entries()[n:]; len(got) > 0 {
		t.Errorf("exec is logged: %v", got)
	}
	if !k.Tree.Gate().Dismiss(k.Tree.Gate().Active()[0].ID) {
		t.Fatal("nobody was there")
	}
	if err := <-k.done; err != nil {
		t.Error(err)
	}
	k.done <- nil
	k.logs("user admin logged out via local")
}

// TestLongScript runs a script of many parts, and refuses one that is too long.
func TestLongScript(t *testing.T) {
	socket, menus := serve(t)
	source := ":local n 0\n" + strings.Repeat("# a remark that says \xff nothing at all\n", 40000) + "/system/identity/set name=long\n"
	if len(source) < 4*MaxLine {
		t.Fatal("the script is short")
	}
	var out, errOut bytes.Buffer
	if status := Exec(t.Context(), socket, []string{source}, &out, &errOut); status != 0 || menus.Identity() != "long" {
		t.Errorf("status %d, %q, %s", status, &errOut, menus.Identity())
	}
	errOut.Reset()
	if status := Exec(t.Context(), socket, []string{strings.Repeat("#", MaxScript+maxPart)}, &out, &errOut); status != 1 || errOut.String() != "script too long\n" {
		t.Errorf("status %d, %q", status, &errOut)
	}
	if NewSession(menus, tree.Admin()).Prompt() != "[admin@long] > " {
		t.Error("the system is hurt")
	}
}
