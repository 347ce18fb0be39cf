package firewall

import (
	"encoding/binary"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// The maps from interfaces to what happens to their packets.
const (
	mssMap      = "gopptp-mss"
	incomingMap = "gopptp-incoming"
	outgoingMap = "gopptp-outgoing"
)

// The chains.
const (
	mssChain = "gopptp-mss"
	pppChain = "ppp"
)

// A member is one thing that a session puts into the table.
type member struct {
	element
	address bool   // the key is an address, or else an interface
	mss     int    // of mssMap
	chain   string // of the other two maps
}

// newPlan gives the members of a session.
func newPlan(s Session) []member {
	name := ifName(s.Interface)
	var plan []member
	if s.MSS > 0 {
		plan = append(plan, member{element: element{mssMap, name}, mss: s.MSS})
	}
	for _, list := range s.AddressLists {
		if s.Remote.Is4() {
			plan = append(plan, member{element: element{clean(list), string(s.Remote.AsSlice())}, address: true})
		}
	}
	if s.InterfaceList != "" {
		plan = append(plan, member{element: element{clean(s.InterfaceList) + interfaceSuffix, name}})
	}
	if s.IncomingFilter != "" {
		plan = append(plan, member{element: element{incomingMap, name}, chain: clean(s.IncomingFilter)})
	}
	if s.OutgoingFilter != "" {
		plan = append(plan, member{element: element{outgoingMap, name}, chain: clean(s.OutgoingFilter)})
	}
	return plan
}

// listed reports that the member is one of a list that the administrator knows.
func (m member) listed() bool { return m.mss == 0 && m.chain == "" }

// definition is the set that the member belongs to.
func (m member) definition() *nftables.Set {
	if m.address {
		return &nftables.Set{Table: table(), Name: m.set, KeyType: nftables.TypeIPAddr}
	}
	s := &nftables.Set{Table: table(), Name: m.set, KeyType: nftables.TypeIFName}
	switch {
	case m.mss > 0:
		s.IsMap, s.DataType = true, segmentSize()
	case m.chain != "":
		s.IsMap, s.DataType = true, nftables.TypeVerdict
	}
	return s
}

// segmentSize is a number of two octets.
func segmentSize() nftables.SetDatatype {
	t := nftables.TypeInteger
	t.Bytes = 2
	return t
}

// value is the member as an element.
func (m member) value() nftables.SetElement {
	e := nftables.SetElement{Key: []byte(m.key)}
	switch {
	case m.mss > 0:
		e.Val = binary.BigEndian.AppendUint16(nil, uint16(m.mss))
	case m.chain != "":
		e.VerdictData = &expr.Verdict{Kind: expr.VerdictJump, Chain: m.chain}
	default:
		e.Comment = mark
	}
	return e
}

// ifName is a name as a key: with zeros to the end.
func ifName(name string) string {
	var b [unix.IFNAMSIZ]byte
	copy(b[:len(b)-1], name)
	return string(b[:])
}

// prepare makes the table and what is always in it.
func (f *Firewall) prepare() error {
	t := f.nft.AddTable(table())
	for _, m := range []member{
		{element: element{set: mssMap}, mss: 1},
		{element: element{set: incomingMap}, chain: pppChain},
		{element: element{set: outgoingMap}, chain: pppChain},
	} {
		if err := f.nft.AddSet(m.definition(), nil); err != nil {
			return err
		}
	}
	mss := f.nft.AddChain(&nftables.Chain{
		Name: mssChain, Table: t, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityMangle,
	})
	ppp := f.nft.AddChain(&nftables.Chain{Name: pppChain, Table: t})
	f.nft.FlushChain(mss)
	f.nft.FlushChain(ppp)
	for _, end := range []struct {
		key  expr.MetaKey
		jump string
	}{{expr.MetaKeyIIFNAME, incomingMap}, {expr.MetaKeyOIFNAME, outgoingMap}} {
		f.nft.AddRule(&nftables.Rule{Table: t, Chain: mss, Exprs: fitMSS(end.key)})
		f.nft.AddRule(&nftables.Rule{Table: t, Chain: ppp, Exprs: []expr.Any{
			&expr.Meta{Key: end.key, Register: 1},
			&expr.Lookup{SourceRegister: 1, SetName: end.jump, DestRegister: 0, IsDestRegSet: true},
		}})
	}
	return f.nft.Flush()
}

// fitMSS lowers the MSS of a SYN to what the interface of one end can carry. The
// kernel never raises one.
func fitMSS(end expr.MetaKey) []expr.Any {
	const (
		flagsAt     = 13 // in the header of TCP (RFC 9293, section 3.1)
		syn, rst    = 0x02, 0x04
		maxSegment  = 2 // the option's kind (section 3.7.1)
		maxSegValue = 2 // where its value begins
	)
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: flagsAt, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{syn | rst}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{syn}},
		&expr.Meta{Key: end, Register: 1},
		&expr.Lookup{SourceRegister: 1, SetName: mssMap, DestRegister: 1, IsDestRegSet: true},
		&expr.Exthdr{SourceRegister: 1, Op: expr.ExthdrOpTcpopt, Type: maxSegment, Offset: maxSegValue, Len: 2},
	}
}
