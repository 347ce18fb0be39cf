package doctor

import (
	"encoding/binary"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

var (
	accept = &expr.Verdict{Kind: expr.VerdictAccept}
	drop   = &expr.Verdict{Kind: expr.VerdictDrop}
)

// newChain makes a chain of the family inet. Without a hook it is one that others
// call.
func newChain(table, name string, hook *nftables.ChainHook, policy *nftables.ChainPolicy, rules ...[]expr.Any) Chain {
	c := Chain{Chain: &nftables.Chain{Name: name, Table: &nftables.Table{Name: table, Family: nftables.TableFamilyINet}, Hooknum: hook, Type: nftables.ChainTypeFilter, Policy: policy}}
	for _, r := range rules {
		c.Rules = append(c.Rules, &nftables.Rule{Exprs: r})
	}
	return c
}

// The parts of rules as nft makes them.
func proto(p byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{p}}}
}

func ipProto(p byte) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.NFPROTO_IPV4}},
		&expr.Payload{OperationType: expr.PayloadLoad, DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 9, Len: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{p}},
	}
}

func dport(op expr.CmpOp, port uint16) []expr.Any {
	return append(proto(unix.IPPROTO_TCP), loadPort, &expr.Cmp{Op: op, Register: 1, Data: binary.BigEndian.AppendUint16(nil, port)})
}

var loadPort = &expr.Payload{OperationType: expr.PayloadLoad, DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}

func state(mask uint32) []expr.Any {
	b := binary.NativeEndian.AppendUint32(nil, mask)
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: b, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

func link(name string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: append([]byte(name), make([]byte, 16-len(name))...)}}
}

// saddr depends on what is not known.
var saddr = []expr.Any{
	&expr.Payload{OperationType: expr.PayloadLoad, DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
	&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{192, 0, 2, 1}},
}

func rule(parts ...any) (out []expr.Any) {
	for _, p := range parts {
		switch p := p.(type) {
		case []expr.Any:
			out = append(out, p...)
		case expr.Any:
			out = append(out, p)
		}
	}
	return out
}

func lookup(set string, verdicts bool) *expr.Lookup {
	return &expr.Lookup{SourceRegister: 1, SetName: set, IsDestRegSet: verdicts, DestRegister: 0}
}

// verdictValue is a verdict as the kernel shows it in a map.
func verdictValue(kind expr.VerdictKind, chain string) []byte {
	b := binary.NativeEndian.AppendUint16(nil, 8)
	b = binary.NativeEndian.AppendUint16(b, unix.NFTA_VERDICT_CODE)
	b = binary.BigEndian.AppendUint32(b, uint32(kind))
	if chain != "" {
		b = binary.NativeEndian.AppendUint16(b, uint16(4+len(chain)+1))
		b = binary.NativeEndian.AppendUint16(b, unix.NFTA_VERDICT_CHAIN)
		b = append(append(b, chain...), 0)
	}
	return b
}

func TestInput(t *testing.T) {
	dropping, accepting := nftables.ChainPolicyDrop, nftables.ChainPolicyAccept
	port := func(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
	sets := map[SetKey]Set{}
	set := func(name string, s Set) { sets[SetKey{nftables.TableFamilyINet, "f", name}] = s }
	set("ports", Set{Elements: []nftables.SetElement{{Key: port(22)}, {Key: port(1723)}}})
	set("others", Set{Elements: []nftables.SetElement{{Key: port(22)}, {Key: port(80)}}})
	set("range", Set{Interval: true, Elements: []nftables.SetElement{{Key: port(0), IntervalEnd: true}, {Key: port(1000)}, {Key: port(2000), IntervalEnd: true}}})
	set("adjacent", Set{Interval: true, Elements: []nftables.SetElement{{Key: port(1000)}, {Key: port(1723), IntervalEnd: true}, {Key: port(1723)}, {Key: port(1724), IntervalEnd: true}}})
	set("adjacent, begin first", Set{Interval: true, Elements: []nftables.SetElement{{Key: port(1000)}, {Key: port(1723)}, {Key: port(1723), IntervalEnd: true}, {Key: port(1724), IntervalEnd: true}}})
	set("below", Set{Interval: true, Elements: []nftables.SetElement{{Key: port(1000)}, {Key: port(1723), IntervalEnd: true}}})
	set("concatenated", Set{Elements: []nftables.SetElement{{Key: append(port(22), 1, 2, 3, 4)}}})
	set("states", Set{Elements: []nftables.SetElement{
		{Key: binary.NativeEndian.AppendUint32(nil, 2), Val: verdictValue(expr.VerdictAccept, "")},
		{Key: binary.NativeEndian.AppendUint32(nil, 1), Val: verdictValue(expr.VerdictDrop, "")},
	}})
	set("jumps", Set{Elements: []nftables.SetElement{{Key: port(1723), Val: verdictValue(expr.VerdictJump, "other")}}})
	set("broken", Set{Elements: []nftables.SetElement{{Key: port(1723), Val: []byte{1, 2, 3}}}})
	states := rule(&expr.Ct{Key: expr.CtKeySTATE, Register: 1}, lookup("states", true))
	jump := func(kind expr.VerdictKind) *expr.Verdict { return &expr.Verdict{Kind: kind, Chain: "other"} }
	target := func(name string) *expr.Target { return &expr.Target{Name: name} }
	xtTCP := func(from, to uint16) *expr.Match {
		return &expr.Match{Name: "tcp", Info: &xt.Tcp{SrcPorts: [2]uint16{0, 65535}, DstPorts: [2]uint16{from, to}}}
	}
	type rules [][]expr.Any
	for _, c := range []struct {
		name     string
		policy   *nftables.ChainPolicy
		rules    rules
		other    rules // of the chain that is called
		tcp, gre fate
	}{
		{"empty, accepting", &accepting, nil, nil, passes, passes},
		{"empty, dropping", &dropping, nil, nil, drops, drops},
		{"no policy", nil, nil, nil, passes, passes},
		{"both let in", &dropping, rules{rule(dport(expr.CmpOpEq, 1723), accept), rule(proto(47), accept)}, nil, passes, passes},
		{"by the IP header", &dropping, rules{rule(ipProto(47), accept)}, nil, drops, passes},
		{"another port", &dropping, rules{rule(dport(expr.CmpOpEq, 22), accept)}, nil, drops, drops},
		{"not another port", &dropping, rules{rule(dport(expr.CmpOpNeq, 22), accept)}, nil, passes, drops},
		{"ports up to", &dropping, rules{rule(dport(expr.CmpOpLte, 1723), accept)}, nil, passes, drops},
		{"ports from", &dropping, rules{rule(dport(expr.CmpOpGt, 1723), accept)}, nil, drops, drops},
		{"a range of ports", &dropping, rules{rule(proto(6), loadPort, &expr.Range{Register: 1, FromData: port(1), ToData: port(1723)}, accept)}, nil, passes, drops},
		{"a set", &dropping, rules{rule(proto(6), loadPort, lookup("ports", false), accept)}, nil, passes, drops},
		{"another set", &dropping, rules{rule(proto(6), loadPort, lookup("others", false), accept)}, nil, drops, drops},
		{"not in a set", &dropping, rules{rule(proto(6), loadPort, &expr.Lookup{SourceRegister: 1, SetName: "others", Invert: true}, accept)}, nil, passes, drops},
		{"an interval", &dropping, rules{rule(proto(6), loadPort, lookup("range", false), accept)}, nil, passes, drops},
		{"adjacent intervals", &dropping, rules{rule(proto(6), loadPort, lookup("adjacent", false), accept)}, nil, passes, drops},
		{"adjacent intervals, begin first", &dropping, rules{rule(proto(6), loadPort, lookup("adjacent, begin first", false), accept)}, nil, passes, drops},
		{"an interval below", &dropping, rules{rule(proto(6), loadPort, lookup("below", false), accept)}, nil, drops, drops},
		{"a concatenation", &dropping, rules{rule(proto(6), loadPort, lookup("concatenated", false), accept)}, nil, passes | drops, drops},
		{"an unknown set", &dropping, rules{rule(proto(6), loadPort, lookup("none", false), accept)}, nil, passes | drops, drops},
		{"established alone", &dropping, rules{rule(state(2|4), accept)}, nil, drops, drops},
		{"new too", &dropping, rules{rule(state(2|8), accept)}, nil, passes, passes},
		{"a map of states", &dropping, rules{states}, nil, drops, drops},
		{"a map of states, then all", &dropping, rules{states, rule(accept)}, nil, passes, passes},
		{"a map that jumps", &dropping, rules{rule(proto(6), loadPort, lookup("jumps", true))}, rules{rule(accept)}, passes, drops},
		{"a broken map", &dropping, rules{rule(proto(6), loadPort, lookup("broken", true))}, nil, passes | drops, drops},
		{"a map of what is not known", &dropping, rules{rule(saddr[0], lookup("jumps", true))}, rules{rule(accept)}, passes | drops, passes | drops},
		{"loopback", &dropping, rules{rule(link("lo"), accept)}, nil, drops, drops},
		{"an interface", &dropping, rules{rule(link("eth0"), accept)}, nil, passes | drops, passes | drops},
		{"the loopback's index", &dropping, rules{rule(&expr.Meta{Key: expr.MetaKeyIIF, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: loopback[0]}, accept)}, nil, drops, drops},
		{"not the loopback", &dropping, rules{rule(&expr.Meta{Key: expr.MetaKeyIIF, Register: 1}, &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: loopback[0]}, accept)}, nil, passes, passes},
		{"an address", &dropping, rules{rule(saddr, accept)}, nil, passes | drops, passes | drops},
		{"an address dropped", &accepting, rules{rule(saddr, drop)}, nil, passes | drops, passes | drops},
		{"a limit", &dropping, rules{rule(dport(expr.CmpOpEq, 1723), &expr.Limit{}, accept)}, nil, passes | drops, drops},
		{"counter and log", &dropping, rules{rule(&expr.Counter{}, &expr.Log{}, accept)}, nil, passes, passes},
		{"reject", &accepting, rules{rule(proto(47), &expr.Reject{})}, nil, passes, drops},
		{"drop before accept", &dropping, rules{rule(proto(6), drop), rule(accept)}, nil, drops, passes},
		{"a jump that accepts", &dropping, rules{rule(jump(expr.VerdictJump))}, rules{rule(proto(47), accept)}, drops, passes},
		{"a jump that comes back", &dropping, rules{rule(jump(expr.VerdictJump)), rule(accept)}, rules{rule(proto(47), &expr.Verdict{Kind: expr.VerdictReturn}), rule(drop)}, drops, passes},
		{"a goto that does not", &dropping, rules{rule(jump(expr.VerdictGoto)), rule(accept)}, nil, drops, drops},
		{"return of the first chain", &dropping, rules{rule(proto(6), &expr.Verdict{Kind: expr.VerdictReturn}), rule(accept)}, nil, drops, passes},
		{"a jump into the void", &dropping, rules{rule(&expr.Verdict{Kind: expr.VerdictJump, Chain: "none"})}, nil, passes | drops, passes | drops},
		{"a circle", &dropping, rules{rule(jump(expr.VerdictJump))}, rules{rule(jump(expr.VerdictJump))}, passes | drops, passes | drops},
		{"a queue", &accepting, rules{rule(&expr.Queue{})}, nil, passes | drops, passes | drops},
		{"iptables", &dropping, rules{rule(proto(6), xtTCP(1723, 1723), &expr.Counter{}, accept), rule(proto(47), accept)}, nil, passes, passes},
		{"iptables, other ports", &dropping, rules{rule(proto(6), xtTCP(1, 1722), accept)}, nil, drops, drops},
		{"iptables, a state", &dropping, rules{rule(&expr.Match{Name: "conntrack", Info: &xt.ConntrackMtinfo3{ConntrackMtinfo2: xt.ConntrackMtinfo2{ConntrackMtinfoBase: xt.ConntrackMtinfoBase{MatchFlags: 1}, StateMask: 2 | 4}}}, accept)}, nil, drops, drops},
		{"iptables, a comment", &dropping, rules{rule(&expr.Match{Name: "comment"}, accept)}, nil, passes, passes},
		{"iptables, something", &dropping, rules{rule(&expr.Match{Name: "geoip"}, accept)}, nil, passes | drops, passes | drops},
		{"iptables, REJECT", &accepting, rules{rule(target("REJECT"))}, nil, drops, drops},
		{"iptables, LOG", &accepting, rules{rule(target("LOG"))}, nil, passes, passes},
		{"iptables, something else", &accepting, rules{rule(target("XYZ"))}, nil, passes | drops, passes | drops},
	} {
		r := &Ruleset{Sets: sets, Chains: []Chain{
			newChain("f", "other", nil, nil, c.other...),
			newChain("f", "output", nftables.ChainHookOutput, &dropping),
			newChain("f", "input", nftables.ChainHookInput, c.policy, c.rules...),
		}}
		for p, want := range map[packet]fate{controlPacket: c.tcp, grePacket: c.gre} {
			got, blame := r.input(p)
			if got != want || (blame != nil) != (want != passes) {
				t.Errorf("%s, protocol %d: fate %b, want %b", c.name, p.protocol, got, want)
			}
		}
	}
}

// TestManyJumps checks that chains which call each other in very many ways end the walk.
func TestManyJumps(t *testing.T) {
	var chains []Chain
	dropping := nftables.ChainPolicyDrop
	for i := range maxJumps {
		var all [][]expr.Any
		for range 20 {
			all = append(all, rule(&expr.Verdict{Kind: expr.VerdictJump, Chain: string(rune('a' + i + 1))}))
		}
		chains = append(chains, newChain("f", string(rune('a'+i)), nil, nil, all...))
	}
	chains = append(chains, newChain("f", "input", nftables.ChainHookInput, &dropping, rule(&expr.Verdict{Kind: expr.VerdictJump, Chain: "a"})))
	if f, _ := (&Ruleset{Chains: chains}).input(grePacket); f != passes|drops {
		t.Errorf("fate %b", f)
	}
}

func FuzzParseVerdict(f *testing.F) {
	f.Add(verdictValue(expr.VerdictJump, "chain"))
	f.Add(verdictValue(expr.VerdictAccept, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, ok := parseVerdict(b); ok && len(v.Chain) > len(b) {
			t.Errorf("%v of %d octets", v, len(b))
		}
	})
}
