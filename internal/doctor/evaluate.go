package doctor

import (
	"bytes"
	"encoding/binary"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// A packet is a first one of a stranger, which came by another interface than the
// loopback.
type packet struct {
	protocol byte
	port     uint16 // destination of TCP
}

// The packets that a server must receive.
var (
	controlPacket = packet{unix.IPPROTO_TCP, 1723}
	grePacket     = packet{unix.IPPROTO_GRE, 0}
)

// fate is what may become of a packet: several where it depends on what is not known.
type fate uint8

const (
	passes fate = 1 << iota
	drops
	goesOn  // to the next rule
	returns // to the rule after the one that called the chain, or to the policy
)

// input tells the fate of a packet to this machine, and the base chain that is to
// blame if it may be dropped.
func (r *Ruleset) input(p packet) (f fate, blame *nftables.Chain) {
	f = passes
	for _, c := range r.Chains {
		if c.Hooknum == nil || !receives(c.Table.Family) || c.Type == nftables.ChainTypeNAT ||
			*c.Hooknum != *nftables.ChainHookInput && *c.Hooknum != *nftables.ChainHookPrerouting {
			continue
		}
		e := &evaluation{Ruleset: r, packet: p}
		g := e.chain(c, 0)
		if g&goesOn != 0 {
			g &^= goesOn
			if c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
				g |= drops
			} else {
				g |= passes
			}
		}
		switch {
		case g == drops:
			return drops, c.Chain
		case g&drops != 0:
			f, blame = passes|drops, c.Chain
		}
	}
	return f, blame
}

// maxJumps is how deep the kernel lets chains call each other (NFT_JUMP_STACK_SIZE).
const maxJumps = 16

// maxSteps bounds the rules that are walked through for a packet: chains that call each
// other in many ways are not followed for ever.
const maxSteps = 100_000

// An evaluation walks a packet through chains. What it does not know it calls possible.
type evaluation struct {
	*Ruleset
	packet
	steps int
}

// A truth is whether a rule matches.
type truth uint8

const (
	no truth = iota
	maybe
	yes
)

// chain gives the fate of the packet in a chain.
func (e *evaluation) chain(c Chain, depth int) (f fate) {
	if depth > maxJumps {
		return passes | drops | goesOn
	}
	for _, rule := range c.Rules {
		if e.steps++; e.steps > maxSteps {
			return passes | drops | goesOn
		}
		match, verdicts := e.rule(c, rule, depth)
		f |= verdicts & (passes | drops)
		if verdicts&returns != 0 {
			f |= goesOn
		}
		if match == yes && verdicts&goesOn == 0 {
			return f
		}
	}
	return f | goesOn
}

// rule tells whether a rule matches, and the fates that it may give then.
func (e *evaluation) rule(c Chain, rule *nftables.Rule, depth int) (truth, fate) {
	registers := map[uint32][]byte{} // those that are known
	match := yes
	for _, x := range rule.Exprs {
		switch x := x.(type) {
		case *expr.Meta:
			e.meta(x, registers)
		case *expr.Payload:
			e.payload(x, registers)
		case *expr.Ct:
			delete(registers, x.Register)
			if x.Key == expr.CtKeySTATE {
				registers[x.Register] = binary.NativeEndian.AppendUint32(nil, stateNew)
			}
		case *expr.Bitwise:
			v, known := registers[x.SourceRegister]
			delete(registers, x.DestRegister)
			if known && len(v) == len(x.Mask) && len(v) == len(x.Xor) {
				out := make([]byte, len(v))
				for i := range v {
					out[i] = v[i]&x.Mask[i] ^ x.Xor[i]
				}
				registers[x.DestRegister] = out
			}
		case *expr.Cmp:
			match = min(match, compare(x, registers))
		case *expr.Range:
			match = min(match, inRange(x, registers))
		case *expr.Lookup:
			t, f, isVerdict := e.lookup(c, x, registers, depth)
			match = min(match, t)
			if isVerdict && match != no {
				return match, f
			}
		case *expr.Match:
			match = min(match, e.match(x))
		case *expr.Target:
			return match, target(x.Name)
		case *expr.Queue: // a program decides
			return match, passes | drops | goesOn
		case *expr.Reject:
			return match, drops
		case *expr.Verdict:
			return match, e.verdict(c, x, depth)
		case *expr.Counter, *expr.Log, *expr.Notrack, *expr.Immediate, *expr.Objref, *expr.Masq, *expr.NAT, *expr.Redir:
		default: // limits, hashes and what else may or may not match
			match = min(match, maybe)
		}
		if match == no {
			return no, 0
		}
	}
	return match, goesOn
}

// stateNew is the state of the first packet of a connection, in the bits of nftables
// and of xt_conntrack alike.
const stateNew = 8

// meta loads what is known of every packet.
func (e *evaluation) meta(x *expr.Meta, registers map[uint32][]byte) {
	if x.SourceRegister {
		return // it is written, not read
	}
	delete(registers, x.Register)
	switch x.Key {
	case expr.MetaKeyL4PROTO:
		registers[x.Register] = []byte{e.protocol}
	case expr.MetaKeyNFPROTO:
		registers[x.Register] = []byte{unix.NFPROTO_IPV4}
	case expr.MetaKeyIIF, expr.MetaKeyIIFNAME, expr.MetaKeyIIFTYPE:
		registers[x.Register] = nil // not the loopback, and otherwise not known
	}
}

// The loopback interface as meta has it: its index, and its type (ARPHRD_LOOPBACK).
var loopback = [][]byte{
	binary.NativeEndian.AppendUint32(nil, 1),
	binary.NativeEndian.AppendUint16(nil, unix.ARPHRD_LOOPBACK),
}

// isLoopback reports whether a value of meta is the loopback interface's.
func isLoopback(v []byte) bool {
	return string(bytes.TrimRight(v, "\x00")) == "lo" || bytes.Equal(v, loopback[0]) || bytes.Equal(v, loopback[1])
}

// payload loads what is known of the headers.
func (e *evaluation) payload(x *expr.Payload, registers map[uint32][]byte) {
	if x.OperationType != expr.PayloadLoad {
		return
	}
	const (
		protocolAt = 9 // in the IPv4 header (RFC 791, section 3.1)
		portAt     = 2 // in the TCP header (RFC 9293, section 3.1)
	)
	delete(registers, x.DestRegister)
	switch {
	case x.Base == expr.PayloadBaseNetworkHeader && x.Offset == protocolAt && x.Len == 1:
		registers[x.DestRegister] = []byte{e.protocol}
	case x.Base == expr.PayloadBaseTransportHeader && x.Offset == portAt && x.Len == 2 && e.protocol == unix.IPPROTO_TCP:
		registers[x.DestRegister] = binary.BigEndian.AppendUint16(nil, e.port)
	}
}

// compare tells whether a comparison holds.
func compare(x *expr.Cmp, registers map[uint32][]byte) truth {
	v, known := registers[x.Register]
	switch {
	case !known:
		return maybe
	case v == nil: // an interface that is not the loopback
		if !isLoopback(x.Data) {
			return maybe
		}
		return is(x.Op == expr.CmpOpNeq)
	case len(v) != len(x.Data):
		return maybe
	}
	switch c := bytes.Compare(v, x.Data); x.Op {
	case expr.CmpOpEq:
		return is(c == 0)
	case expr.CmpOpNeq:
		return is(c != 0)
	case expr.CmpOpLt:
		return is(c < 0)
	case expr.CmpOpLte:
		return is(c <= 0)
	case expr.CmpOpGt:
		return is(c > 0)
	case expr.CmpOpGte:
		return is(c >= 0)
	}
	return maybe
}

// inRange tells whether a value is within a range.
func inRange(x *expr.Range, registers map[uint32][]byte) truth {
	v := registers[x.Register]
	if v == nil || len(v) != len(x.FromData) || len(v) != len(x.ToData) {
		return maybe
	}
	in := bytes.Compare(v, x.FromData) >= 0 && bytes.Compare(v, x.ToData) <= 0
	return is(in == (x.Op != expr.CmpOpNeq))
}

func is(b bool) truth {
	if b {
		return yes
	}
	return no
}

// lookup tells whether a set has a value, or for a map of verdicts what its verdict is.
func (e *evaluation) lookup(c Chain, x *expr.Lookup, registers map[uint32][]byte, depth int) (t truth, f fate, isVerdict bool) {
	set, ok := e.Sets[SetKey{c.Table.Family, c.Table.Name, x.SetName}]
	v := registers[x.SourceRegister]
	isVerdict = x.IsDestRegSet && x.DestRegister == unix.NFT_REG_VERDICT
	if x.IsDestRegSet && !isVerdict {
		delete(registers, x.DestRegister)
	}
	if !ok || v == nil {
		if isVerdict { // any of them
			for _, el := range set.Elements {
				f |= e.element(c, el, depth)
			}
			return maybe, f | goesOn, true
		}
		return maybe, 0, false
	}
	el, t := set.find(v)
	if isVerdict {
		if t == no {
			return no, 0, true
		}
		return t, e.element(c, el, depth), true
	}
	if x.Invert {
		t = yes - t
	}
	return t, 0, false
}

// find finds the element that has a value.
func (s Set) find(v []byte) (el nftables.SetElement, t truth) {
	if !s.Interval {
		for _, el := range s.Elements {
			if len(el.Key) != len(v) {
				return el, maybe // a concatenation
			}
			if bytes.Equal(el.Key, v) {
				return el, yes
			}
		}
		return el, no
	}
	found := false
	for _, other := range s.Elements { // the one that begins last before the value
		if len(other.Key) != len(v) || other.KeyEnd != nil {
			return other, maybe
		}
		if bytes.Compare(other.Key, v) <= 0 && (!found || bytes.Compare(other.Key, el.Key) > 0 || bytes.Equal(other.Key, el.Key) && el.IntervalEnd) {
			el, found = other, true
		}
	}
	return el, is(found && !el.IntervalEnd)
}

// element gives the fate that the verdict of an element of a map gives.
func (e *evaluation) element(c Chain, el nftables.SetElement, depth int) fate {
	if el.VerdictData != nil {
		return e.verdict(c, el.VerdictData, depth)
	}
	v, ok := parseVerdict(el.Val)
	if !ok {
		return passes | drops | goesOn
	}
	return e.verdict(c, v, depth)
}

// parseVerdict reads the verdict of an element: attributes of netlink, which the
// library leaves as they are.
func parseVerdict(b []byte) (*expr.Verdict, bool) {
	const (
		header   = 4
		typeMask = 1<<14 - 1 // NLA_TYPE_MASK
	)
	v := &expr.Verdict{}
	found := false
	for len(b) >= header {
		n, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])&typeMask
		if n < header || n > len(b) {
			return nil, false
		}
		switch data := b[header:n]; {
		case kind == unix.NFTA_VERDICT_CODE && len(data) == 4:
			v.Kind, found = expr.VerdictKind(int32(binary.BigEndian.Uint32(data))), true
		case kind == unix.NFTA_VERDICT_CHAIN:
			v.Chain = string(bytes.TrimRight(data, "\x00"))
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return v, found
}

// verdict gives the fate that a verdict gives.
func (e *evaluation) verdict(c Chain, v *expr.Verdict, depth int) fate {
	switch v.Kind {
	case expr.VerdictAccept:
		return passes
	case expr.VerdictDrop:
		return drops
	case expr.VerdictContinue, expr.VerdictBreak:
		return goesOn
	case expr.VerdictReturn:
		return returns
	case expr.VerdictJump, expr.VerdictGoto:
		for _, other := range e.Chains {
			if other.Table.Family == c.Table.Family && other.Table.Name == c.Table.Name && other.Name == v.Chain {
				f := e.chain(other, depth+1)
				if v.Kind == expr.VerdictGoto && f&goesOn != 0 {
					f = f&^goesOn | returns
				}
				return f
			}
		}
	}
	return passes | drops | goesOn // a queue, or what is not known
}

// match tells whether a match of iptables holds.
func (e *evaluation) match(x *expr.Match) truth {
	switch info := x.Info.(type) {
	case *xt.Tcp:
		if e.protocol != unix.IPPROTO_TCP {
			return no
		}
		if info.InvFlags != 0 || info.Option != 0 || info.FlagsMask != 0 || info.SrcPorts != [2]uint16{0, 1<<16 - 1} {
			return maybe
		}
		return is(e.port >= info.DstPorts[0] && e.port <= info.DstPorts[1])
	case *xt.ConntrackMtinfo3:
		const byState = 1 // XT_CONNTRACK_STATE
		if info.MatchFlags == byState && info.InvertFlags == 0 {
			return is(info.StateMask&stateNew != 0)
		}
	}
	if x.Name == "comment" {
		return yes
	}
	return maybe
}

// target gives the fate that a target of iptables gives.
func target(name string) fate {
	switch name {
	case "REJECT", "DROP":
		return drops
	case "LOG", "NFLOG", "CT", "MARK", "CONNMARK", "TCPMSS", "TRACE", "AUDIT", "SET":
		return goesOn
	}
	return passes | drops | goesOn
}
