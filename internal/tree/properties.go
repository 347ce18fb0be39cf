package tree

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/menu"
	"gopptp/internal/session"
	"gopptp/ppp/auth"
)

// The bounds of a packet size are RouterOS's.
var (
	packetSize = menu.Int{Min: 512, Max: 18432}
	mrru       = menu.Int{Min: 512, Max: 65535, Word: disabled}
)

const disabled = "disabled"

// counter is a number that only grows.
var counter = menu.Int{Max: 1<<64 - 1}

// keepalive is a time in whole seconds, or disabled. Zero would mean disabled
// to a reader and at once to a machine, so it is neither.
var keepalive = menu.Seconds{Int: menu.Int{Min: 1, Max: 1<<32 - 1, Word: disabled}}

// methods are the authentication methods in the order in which they print.
var methods = menu.SetOf{Words: []string{auth.PAP.String(), auth.CHAP.String(), auth.MSCHAPv1.String(), auth.MSCHAPv2.String()}}

// maxName bounds a user name and a password: their length is one octet in PAP
// (RFC 1334, section 2.2.1).
const maxName = 255

// credential is a user name or a password that may be empty.
var credential = menu.String{Max: maxName, Line: true}

// userName is a user name that must be given.
var userName = menu.String{Min: 1, Max: maxName, Line: true}

// interfaceName is the name of an interface. Those in angle brackets belong to
// sessions.
type interfaceName struct{ menu.String }

// maxInterface leaves room within the 127 octets that Linux grants an
// alternative name.
const maxInterface = 63

// Parse accepts a name that no session's interface can have.
func (interfaceName) Parse(name, text string, refs menu.Resolver) (string, error) {
	if strings.HasPrefix(text, "<") {
		return "", menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	}
	return menu.String{Min: 1, Max: maxInterface, Line: true}.Parse(name, text, refs)
}

// What most menus have.
var (
	comment  = menu.Property{Name: menu.Comment, Type: menu.CommentText, Help: "Short description of the item"}
	whenUp   = menu.Flag{Letter: 'R', Name: "running", Property: "running"}
	whenOff  = menu.Flag{Letter: 'X', Name: "disabled", Property: disabled}
	dynFlag  = menu.Flag{Letter: 'D', Name: "dynamic", Property: "dynamic"}
	running  = menu.Property{Name: "running", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether the tunnel carries traffic"}
	byRouter = menu.Property{Name: "dynamic", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether the item exists because of a session"}
)

// isDisabled declares the property disabled.
func isDisabled(initial, help string) menu.Property {
	return menu.Property{Name: disabled, Type: menu.Bool{}, Default: initial, Help: help}
}

// number gives an Int's value, zero for its word.
func number(r *menu.Row, name string) int {
	n, err := strconv.Atoi(r.Get(name))
	if err != nil {
		return 0
	}
	return n
}

// seconds gives a Seconds' value, zero for its word.
func seconds(r *menu.Row, name string) time.Duration {
	return time.Duration(number(r, name)) * time.Second
}

// address gives an Address' value; it is zero if absent or not an address.
func address(r *menu.Row, name string) netip.Addr {
	a, err := netip.ParseAddr(r.Get(name))
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// addresses gives an Addresses' value.
func addresses(r *menu.Row, name string) []netip.Addr {
	var out []netip.Addr
	for s := range strings.SplitSeq(r.Get(name), ",") {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// chosen gives the methods of a set, from weakest to strongest.
func chosen(r *menu.Row, name string) []auth.Method {
	var out []auth.Method
	for s := range strings.SplitSeq(r.Get(name), ",") {
		if m, err := auth.ParseMethod(s); err == nil {
			out = append(out, m)
		}
	}
	return out
}

// tri gives the value of a property with default, no, yes and required.
func tri(r *menu.Row, name string) aaa.Tri {
	for t := aaa.Default; t <= aaa.Required; t++ {
		if t.String() == r.Get(name) {
			return t
		}
	}
	return aaa.Default
}

// uptime gives how long the session carries traffic, in whole seconds.
func uptime(s session.Status) string {
	return menu.FormatTime(time.Since(s.ConnectedAt).Truncate(time.Second))
}

// putNumber sets a number that is not known while it is zero.
func putNumber(r *menu.Row, name string, n int) {
	if n > 0 {
		r.Put(name, strconv.Itoa(n))
	}
}

// putAddress sets an address that is not known while it is the zero value.
func putAddress(r *menu.Row, name string, a netip.Addr) {
	if a.IsValid() {
		r.Put(name, a.Unmap().String())
	}
}

// putText sets a text that is not known while it is empty.
func putText(r *menu.Row, name, text string) {
	if text != "" {
		r.Put(name, text)
	}
}
