package radius

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/radius"
	"gopptp/test/rig"
)

// sessions are live ones that only remember what was done to them.
type sessions struct {
	mu   sync.Mutex
	list map[uint64]radius.Session
	addr map[uint64]netip.Addr
	did  []string
}

func (s *sessions) Find(m radius.Match) (ids []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range uint64(len(s.list)) + 1 {
		if q, ok := s.list[id]; ok && m.Has(q, s.addr[id]) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *sessions) Disconnect(id uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did = append(s.did, fmt.Sprint("end ", id))
	return nil
}

func (s *sessions) Change(id uint64, c radius.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Rate != nil && *c.Rate == "nonsense" {
		return errors.New("bad rate")
	}
	did := []string{fmt.Sprint("change ", id)}
	for name, v := range map[string]*string{"rate": c.Rate, "profile": c.Profile, "in": c.FilterIn, "out": c.FilterOut} {
		if v != nil {
			did = append(did, name+"="+*v)
		}
	}
	for name, v := range map[string]*time.Duration{"session": c.SessionTimeout, "idle": c.IdleTimeout} {
		if v != nil {
			did = append(did, name+"="+v.String())
		}
	}
	s.did = append(s.did, strings.Join(did, " "))
	return nil
}

func (s *sessions) done() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := strings.Join(s.did, ", ")
	s.did = nil
	return d
}

// radclient sends one packet and gives what radclient prints.
func radclient(t *testing.T, port uint16, kind, secret, attributes string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "radclient", "-x", "-r", "1", "-t", "1", fmt.Sprintf("127.0.0.1:%d", port), kind, secret)
	cmd.Stdin = strings.NewReader(attributes)
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return string(out)
}

// TestClientRadclient has radclient disconnect and change sessions.
func TestClientRadclient(t *testing.T) {
	rig.Need(t, "radclient")
	log := journal.New(nil, false)
	c := client(t, radius.Server{ID: 1, Services: []string{"ppp"}, Address: netip.MustParseAddr("127.0.0.1"), Secret: secret})
	live := &sessions{
		list: map[uint64]radius.Session{
			1: {User: "u", ID: "81000001", Port: 1}, 2: {User: "u", ID: "81000002", Port: 2}, 3: {User: "v", ID: "81000003", Port: 3},
		},
		addr: map[uint64]netip.Addr{1: netip.MustParseAddr("10.0.0.1"), 2: netip.MustParseAddr("10.0.0.2"), 3: netip.MustParseAddr("10.0.0.3")},
	}
	in := radius.NewIncoming(c, live, log)
	run(t, in.Run)
	port := freePort(t)
	in.Configure(radius.IncomingConfig{Accept: true, Port: port})
	for end := time.Now().Add(10 * time.Second); !strings.Contains(radclient(t, port, "coa", secret, "User-Name = v"), "CoA-ACK"); {
		if time.Now().After(end) {
			t.Fatal("the port does not open")
		}
	}
	live.done()
	in.ResetCounters()
	for _, r := range []struct{ kind, attributes, answer, cause, did string }{
		{"disconnect", "Acct-Session-Id = 81000002", "Disconnect-ACK", "", "end 2"},
		{"disconnect", "User-Name = u", "Disconnect-ACK", "", "end 1, end 2"},
		{"disconnect", "User-Name = u, Framed-IP-Address = 10.0.0.1, Message-Authenticator = 0x00", "Disconnect-ACK", "", "end 1"},
		{"disconnect", "User-Name = u, Framed-IP-Address = 10.0.0.3", "Disconnect-NAK", "Session-Context-Not-Found", ""},
		{"disconnect", "User-Name = nobody", "Disconnect-NAK", "Session-Context-Not-Found", ""},
		{"disconnect", "NAS-Identifier = router", "Disconnect-NAK", "Missing-Attribute", ""},
		{"disconnect", "User-Name = u, NAS-Identifier = another", "Disconnect-NAK", "NAS-Identification-Mismatch", ""},
		{"disconnect", "User-Name = u, NAS-IP-Address = 203.0.113.9", "Disconnect-NAK", "NAS-Identification-Mismatch", ""},
		{"coa", "NAS-Port = 3, NAS-IP-Address = 127.0.0.1, Mikrotik-Rate-Limit = 1M/2M", "CoA-ACK", "", "change 3 rate=1M/2M"},
		{"coa", "Acct-Session-Id = 81000001, Session-Timeout = 60", "CoA-ACK", "", "change 1 session=1m0s"},
		{"coa", "Acct-Session-Id = 81000001, Idle-Timeout = 0", "CoA-ACK", "", "change 1 idle=0s"},
		{"coa", "User-Name = v, Mikrotik-Group = gold", "CoA-ACK", "", "change 3 profile=gold"},
		{"coa", "User-Name = v, Filter-Id = f.in", "CoA-ACK", "", "change 3 in=f"},
		{"coa", "User-Name = v, Ascend-Data-Rate = 10, Ascend-Xmit-Rate = 20", "CoA-ACK", "", "change 3 rate=10/20"},
		{"coa", "User-Name = v, Mikrotik-Mark-Id = x", "CoA-ACK", "", "change 3"},
		{"coa", "User-Name = v, Framed-Pool = p", "CoA-NAK", "Unsupported-Attribute", ""},
		{"coa", "User-Name = v, Service-Type = Authorize-Only", "CoA-NAK", "Unsupported-Service", ""},
		{"coa", "User-Name = v, Mikrotik-Rate-Limit = nonsense", "CoA-NAK", "Resources-Unavailable", ""},
	} {
		out := radclient(t, port, r.kind, secret, r.attributes)
		if did := live.done(); !strings.Contains(out, "Received "+r.answer) || !strings.Contains(out, r.cause) || did != r.did {
			t.Errorf("%s %s: did %q, answer:\n%s", r.kind, r.attributes, did, out)
		}
	}
	if n := in.Monitor(); n != (radius.IncomingCounters{Requests: 18, Acks: 10, Naks: 8}) {
		t.Errorf("%+v", n)
	}
	out := radclient(t, port, "disconnect", "wrong", "User-Name = u")
	if did := live.done(); strings.Contains(out, "Received") || did != "" || in.Monitor().BadRequests != 1 {
		t.Errorf("with a wrong secret: did %q, counted %+v, answer:\n%s", did, in.Monitor(), out)
	}
	c.Configure(nil)
	out = radclient(t, port, "disconnect", secret, "User-Name = u")
	if did := live.done(); strings.Contains(out, "Received") || did != "" || in.Monitor().BadRequests != 2 {
		t.Errorf("from elsewhere: did %q, counted %+v, answer:\n%s", did, in.Monitor(), out)
	}
}
