package firewall

import (
	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// The set of interfaces that segments of TCP are fitted to, and the maps from
// interfaces to what happens to their packets.
const (
	mssSet      = "gopptp-mss"
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
	chain   string // of the two maps
}

// newPlan gives the members of a session.
func newPlan(s Session) []member {
	name := ifName(s.Interface)
	var plan []member
	if s.FitMSS {
		plan = append(plan, member{element: element{mssSet, name}})
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
func (m member) listed() bool { return m.set != mssSet && m.chain == "" }

// definition is the set that the member belongs to.
func (m member) definition() *nftables.Set {
	if m.address {
		return &nftables.Set{Table: table(), Name: m.set, KeyType: nftables.TypeIPAddr, KeyByteOrder: binaryutil.BigEndian}
	}
	// Without the order of octets nft shows a name from its end, which is empty.
	s := &nftables.Set{Table: table(), Name: m.set, KeyType: nftables.TypeIFName, KeyByteOrder: binaryutil.NativeEndian}
	if m.chain != "" {
		s.IsMap, s.DataType = true, nftables.TypeVerdict
	}
	return s
}

// value is the member as an element.
func (m member) value() nftables.SetElement {
	e := nftables.SetElement{Key: []byte(m.key)}
	if m.chain != "" {
		e.VerdictData = &expr.Verdict{Kind: expr.VerdictJump, Chain: m.chain}
	} else {
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
		{element: element{set: mssSet}},
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

// fitMSS lowers the MSS of a SYN that comes from or goes to an interface of the set
// to what the MTUs of its way and of the way back can carry. The kernel never raises
// one. (A map from interfaces to sizes would do as well, but nft cannot load what it
// shows of such a map, and people save and load what it shows.)
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
		&expr.Lookup{SourceRegister: 1, SetName: mssSet},
		&expr.Rt{Register: 1, Key: expr.RtTCPMSS},
		&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 2, Size: 2},
		&expr.Exthdr{SourceRegister: 1, Op: expr.ExthdrOpTcpopt, Type: maxSegment, Offset: maxSegValue, Len: 2},
	}
}
