package firewall

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// tableName is what "nft list table ip gopptp" shows.
const tableName = "gopptp"

// mark is the comment of the elements that are ours in sets that an administrator
// may fill as well.
const mark = "gopptp session"

// A Session is what a tunnel needs of the firewall. Zero values need nothing.
type Session struct {
	Interface string     // the name that the kernel knows
	Remote    netip.Addr // the client's inner address

	FitMSS         bool // lower the MSS of TCP to what fits into the tunnel
	AddressLists   []string
	InterfaceList  string
	IncomingFilter string // a chain for packets from the client
	OutgoingFilter string // a chain for packets to the client
}

// empty reports whether the session needs nothing.
func (s Session) empty() bool {
	return !s.FitMSS && len(s.AddressLists) == 0 && s.InterfaceList == "" && s.IncomingFilter == "" && s.OutgoingFilter == ""
}

// A Firewall is safe for concurrent use. Make it with Open.
type Firewall struct {
	dial func() (*nftables.Conn, error)

	mu    sync.Mutex
	nft   *nftables.Conn  // nil where the kernel has no such socket
	lack  error           // why not
	tried time.Time       // when it was found out
	ready bool            // the table and what is always in it are there
	uses  map[element]int // how many sessions have put an element there
	shown map[element]member
}

// An element is a member of a set, or a key of a map.
type element struct{ set, key string }

// Open takes away what a daemon that was killed left in the table. Where the
// kernel has no nftables that is no error: Add will say so.
func Open() (*Firewall, error) {
	return open(func() (*nftables.Conn, error) { return nftables.New(nftables.AsLasting()) })
}

func open(dial func() (*nftables.Conn, error)) (*Firewall, error) {
	f := &Firewall{dial: dial, uses: map[element]int{}, shown: map[element]member{}}
	if err := f.connect(time.Now()); err != nil {
		if lacking(err) {
			return f, nil
		}
		return nil, fmt.Errorf("firewall: open netlink socket: %w", err)
	}
	if err := f.clean(); err != nil && !lacking(err) {
		_ = f.nft.CloseLasting()
		return nil, fmt.Errorf("firewall: clean table %s: %w", tableName, err)
	}
	return f, nil
}

// retryAfter is how long the kernel is not asked again for what it did not have: it
// looks for a module each time.
const retryAfter = 10 * time.Second

// connect opens the socket if there is none: the administrator may have loaded the
// module meanwhile.
func (f *Firewall) connect(now time.Time) error {
	if f.nft != nil {
		return nil
	}
	if f.lack != nil && now.Sub(f.tried) < retryAfter {
		return f.lack
	}
	f.tried = now
	f.nft, f.lack = f.dial()
	return f.lack
}

// lacking reports that the kernel has no nftables, or not for us.
func lacking(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, os.ErrPermission)
}

// Close closes the socket. What sessions have put into the table stays, unless
// they have taken it away.
func (f *Firewall) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.nft == nil {
		return nil
	}
	return f.nft.CloseLasting()
}

// Add puts a session into the table. The result takes it out again; it may be
// called once.
func (f *Firewall) Add(s Session) (remove func() error, err error) {
	if s.empty() {
		return func() error { return nil }, nil
	}
	for _, chain := range []string{s.IncomingFilter, s.OutgoingFilter} {
		if chain == pppChain || chain == mssChain {
			return nil, fmt.Errorf("firewall: the chain %s cannot be a filter: packets would go in a circle", chain)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.connect(time.Now()); err != nil {
		return nil, explain("open netlink socket", err)
	}
	if !f.ready {
		if err := f.prepare(); err != nil {
			return nil, explain("make the table", err)
		}
		f.ready = true
	}
	plan := newPlan(s)
	if err := f.put(plan); err != nil {
		f.ready = false // perhaps somebody took the table away: it is made anew next time
		return nil, explain("add "+s.Interface, err)
	}
	for _, m := range plan {
		f.uses[m.element]++
		f.shown[m.element] = m
	}
	return func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.drop(plan)
	}, nil
}

// put adds what is not there yet. What an interface had before, of a session whose
// configuration changes, gives way in the same moment.
func (f *Firewall) put(plan []member) error {
	for _, m := range plan {
		if m.chain != "" {
			f.nft.AddChain(&nftables.Chain{Name: m.chain, Table: table()})
		}
		set := m.definition()
		if m.listed() { // the others were made by prepare
			if err := f.nft.AddSet(set, nil); err != nil {
				return err
			}
		}
		if f.uses[m.element] > 0 {
			before := f.shown[m.element]
			if before == m {
				continue
			}
			old := []nftables.SetElement{before.value()}
			// The administrator may have taken it away, and what is not there cannot go.
			if err := errors.Join(f.nft.SetAddElements(set, old), f.nft.SetDeleteElements(set, old)); err != nil {
				return err
			}
		}
		if err := f.nft.SetAddElements(set, []nftables.SetElement{m.value()}); err != nil {
			return err
		}
	}
	return f.nft.Flush()
}

// drop takes out what no other session needs. Each element goes on its own: the
// administrator may have taken one away.
func (f *Firewall) drop(plan []member) error {
	var errs []error
	for _, m := range plan {
		if f.uses[m.element]--; f.uses[m.element] > 0 {
			continue
		}
		m = f.shown[m.element]
		delete(f.uses, m.element)
		delete(f.shown, m.element)
		if err := f.nft.SetDeleteElements(m.definition(), []nftables.SetElement{m.value()}); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := f.nft.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return explain("remove a session", err)
	}
	return nil
}

// clean empties our maps and takes our elements out of the lists.
func (f *Firewall) clean() error {
	tables, err := f.nft.ListTablesOfFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if t.Name != tableName {
			continue
		}
		sets, err := f.nft.GetSets(t)
		if err != nil {
			return err
		}
		for _, s := range sets {
			if s.Name == mssSet || s.Name == incomingMap || s.Name == outgoingMap {
				f.nft.FlushSet(s)
				continue
			}
			elements, err := f.nft.GetSetElements(s)
			if err != nil {
				return err
			}
			var ours []nftables.SetElement
			for _, e := range elements {
				if e.Comment == mark {
					ours = append(ours, nftables.SetElement{Key: e.Key})
				}
			}
			if err := f.nft.SetDeleteElements(s, ours); err != nil {
				return err
			}
		}
	}
	return f.nft.Flush()
}

// table is ours.
func table() *nftables.Table {
	return &nftables.Table{Name: tableName, Family: nftables.TableFamilyIPv4}
}

// explain says what is to be done about an error of the kernel.
func explain(what string, err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("firewall: %s: %w: run as root, or grant CAP_NET_ADMIN", what, err)
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EPROTONOSUPPORT):
		return fmt.Errorf("firewall: %s: %w: the kernel lacks nftables (modprobe nf_tables)", what, err)
	}
	return fmt.Errorf("firewall: %s: %w", what, err)
}

// maxName bounds the name of a set or a chain (NFT_NAME_MAXLEN of Linux, less the
// final zero and what interfaceSuffix needs).
const maxName = 255 - len(interfaceSuffix)

// interfaceSuffix keeps the lists of interfaces apart from those of addresses.
const interfaceSuffix = "-interfaces"

// clean gives the name that nft knows a list or a chain by: what nft would not
// take as an identifier becomes an underscore.
func clean(name string) string {
	b := []byte(name[:min(len(name), maxName)])
	for i, c := range b {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && (c >= '0' && c <= '9' || strings.IndexByte("-._/", c) >= 0)) {
			b[i] = '_'
		}
	}
	return string(b)
}
