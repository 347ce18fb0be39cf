package offload

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// merge gives what is to be written for packets: super packets with their headers,
// and how many packets each stands for.
func merge(t testing.TB, pkts [][]byte) (runs [][]byte, packets []int) {
	t.Helper()
	const off = 3
	var bufs, before [][]byte
	for _, p := range pkts {
		bufs = append(bufs, append(make([]byte, off, off+len(p)), p...))
		before = append(before, slices.Clone(p))
	}
	var m Merge
	total := 0
	for k := range m.Load(bufs, off) {
		pieces, n := m.Pieces(k, nil)
		if len(pieces) > MaxPieces {
			t.Fatalf("%d pieces", len(pieces))
		}
		runs = append(runs, slices.Concat(pieces...))
		packets = append(packets, n)
		total += n
	}
	m.Release()
	if total != len(pkts) {
		t.Fatalf("runs of %v packets, want %d in all", packets, len(pkts))
	}
	for i, b := range bufs {
		if !bytes.Equal(b[off:], before[i]) {
			t.Fatalf("packet %d was written to", i)
		}
	}
	return runs, packets
}

// naiveSplit cuts what merge gave, without the package's own functions.
func naiveSplit(t testing.TB, run []byte) (pkts [][]byte) {
	t.Helper()
	pkt := run[10:]
	if run[1] == 0 {
		if !bytes.Equal(run[:10], make([]byte, 10)) {
			t.Fatalf("header %x before a packet that is whole", run[:10])
		}
		return [][]byte{pkt}
	}
	number := binary.NativeEndian.Uint16
	header := 20 + int(pkt[32]>>4)*4
	if run[0] != 1 || run[1] != 1 || int(number(run[2:])) != header || number(run[6:]) != 20 || number(run[8:]) != 16 {
		t.Fatalf("header %x before a super packet with %d octets of headers", run[:10], header)
	}
	if length := binary.BigEndian.Uint16(pkt[2:]); int(length) != len(pkt) || naive(pkt[:20]) != 0xffff {
		t.Fatalf("IP header %x before %d octets", pkt[:20], len(pkt)-20)
	}
	if sum := binary.BigEndian.Uint16(pkt[36:]); sum != naive(naivePseudo(pkt, len(pkt)-20)) {
		t.Fatalf("the checksum is %#x, want that of the pseudo-header", sum)
	}
	size := int(number(run[4:]))
	for i, payload := range slices.Collect(slices.Chunk(pkt[header:], size)) {
		b := slices.Concat(pkt[:header], payload)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		binary.BigEndian.PutUint16(b[4:], binary.BigEndian.Uint16(pkt[4:])+uint16(i))
		binary.BigEndian.PutUint32(b[24:], binary.BigEndian.Uint32(pkt[24:])+uint32(i*size))
		if (i+1)*size < len(pkt)-header {
			b[33] &^= 0x08
		}
		clear(b[10:12])
		binary.BigEndian.PutUint16(b[10:], ^naive(b[:20]))
		clear(b[36:38])
		binary.BigEndian.PutUint16(b[36:], ^naive(naivePseudo(b, len(b)-20), b[20:]))
		pkts = append(pkts, b)
	}
	if len(pkts) < 2 {
		t.Fatalf("a super packet of %d segments", len(pkts))
	}
	return pkts
}

// stream makes segments that follow each other.
func stream(spec segmentSpec, sizes ...int) (pkts [][]byte) {
	for i, size := range sizes {
		s := spec
		s.payload = octets(size, i)
		pkts = append(pkts, s.packet())
		spec.seq += uint32(size)
		spec.id++
	}
	return pkts
}

var data = segmentSpec{from: 1, to: 2, ports: 1000, ttl: 64, fragment: dontFragment, seq: 0x1300, ack: 77, flags: flagACK, window: 500, id: 9,
	options: []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}}

func TestMerge(t *testing.T) {
	other := data
	other.ports++
	change := func(f func(s *segmentSpec)) [][]byte { // what makes the second of two another flow, or no segment
		pkts := stream(data, 100, 100)
		second := data
		second.seq, second.id, second.payload = data.seq+100, data.id+1, octets(100, 1)
		f(&second)
		return append(pkts[:1], second.packet())
	}
	full := make([]int, 64)
	for i := range full {
		full[i] = 1400
	}
	withPush := stream(data, 100, 100, 100, 100)
	push := data
	push.seq, push.id, push.flags, push.payload = data.seq+100, data.id+1, flagACK|flagPSH, octets(100, 1)
	withPush[1] = push.packet()
	ack := data
	ack.seq += 200
	// mend changes packets and makes their sums right again.
	mend := func(pkts [][]byte, f func(i int, pkt []byte)) [][]byte {
		for i, p := range pkts {
			f(i, p)
			clear(p[10:12])
			binary.BigEndian.PutUint16(p[10:], ^naive(p[:20]))
			clear(p[36:38])
			binary.BigEndian.PutUint16(p[36:], ^naive(naivePseudo(p, len(p)-20), p[20:]))
		}
		return pkts
	}
	withOptions := data
	withOptions.ipOptions = []byte{1, 1, 1, 0}
	many := func(flows int) (pkts [][]byte) { // two rounds of a segment of each
		var streams [][][]byte
		for i := range flows {
			s := data
			s.ports = uint16(i)
			streams = append(streams, stream(s, 100, 100))
		}
		for round := range 2 {
			for _, s := range streams {
				pkts = append(pkts, s[round])
			}
		}
		return pkts
	}
	two := []int{2}
	none := []int{1, 1}
	fragments := data
	fragments.fragment = 0x2000
	for name, test := range map[string]struct {
		pkts [][]byte
		want []int
	}{
		"nothing":                {nil, nil},
		"one":                    {stream(data, 100), []int{1}},
		"equal":                  {stream(data, 100, 100, 100), []int{3}},
		"a shorter last":         {stream(data, 100, 100, 1), []int{3}},
		"a shorter one ends":     {stream(data, 100, 99, 100, 100), []int{2, 2}},
		"a longer one begins":    {stream(data, 100, 101, 101), []int{1, 2}},
		"as much as fits":        {stream(data, full...), []int{46, 18}},
		"PSH ends":               {withPush, []int{2, 2}},
		"an ACK is between":      {[][]byte{stream(data, 100)[0], ack.packet(), stream(data, 100, 100)[1]}, []int{1, 1, 1}},
		"ACKs":                   {stream(data, 0, 0, 0), []int{1, 1, 1}},
		"two flows":              {[][]byte{stream(data, 9, 9)[0], stream(other, 9, 9)[0], stream(data, 9, 9)[1], stream(other, 9, 9)[1]}, []int{2, 2}},
		"as many flows as can":   {many(maxFlows), slices.Repeat([]int{2}, maxFlows)},
		"a flow too many":        {many(maxFlows + 1), slices.Repeat([]int{1}, 2*maxFlows+2)},
		"UDP is between":         {[][]byte{stream(data, 9)[0], segmentSpec{udp: true}.packet(), stream(data, 9, 9)[1]}, []int{2, 1}},
		"a fragment is between":  {[][]byte{stream(data, 9)[0], fragments.packet(), stream(data, 9, 9)[1]}, []int{1, 1, 1}},
		"IPv6":                   {[][]byte{{6 << 4}, {6 << 4}}, none},
		"nothing in them":        {[][]byte{{}, {}}, none},
		"order":                  {[][]byte{stream(data, 9, 9)[1], stream(data, 9, 9)[0]}, none},
		"twice":                  {[][]byte{stream(data, 9)[0], stream(data, 9)[0]}, none},
		"as it is":               {change(func(*segmentSpec) {}), two},
		"identification with DF": {change(func(s *segmentSpec) { s.id = 99 }), two},
		"fragments":              {stream(fragments, 100, 100), none},
		"options of IP in both":  {stream(withOptions, 100, 100), none},
		"options of IP are TCP":  {mend(stream(data, 100, 100), func(_ int, p []byte) { p[0]++ }), none},
		"short TCP headers":      {mend(stream(data, 100, 100), func(i int, p []byte) { p[27], p[32] = byte(i*132), 0 }), none},
		"reserved bits":          {mend(stream(data, 100, 100), func(_ int, p []byte) { p[32] |= 1 }), none},
		"something behind them":  {mend(stream(data, 100, 100), func(_ int, p []byte) { p[3]-- }), none},
		"urgent pointer":         {mend(stream(data, 100, 100), func(i int, p []byte) { p[39] = byte(i) }), none},
		"from":                   {change(func(s *segmentSpec) { s.from++ }), none},
		"to":                     {change(func(s *segmentSpec) { s.to++ }), none},
		"ports":                  {change(func(s *segmentSpec) { s.ports++ }), none},
		"type of service":        {change(func(s *segmentSpec) { s.tos++ }), none},
		"time to live":           {change(func(s *segmentSpec) { s.ttl++ }), none},
		"fragment":               {change(func(s *segmentSpec) { s.fragment = 0 }), none},
		"reserved bit":           {change(func(s *segmentSpec) { s.fragment |= 0x8000 }), none},
		"sequence number":        {change(func(s *segmentSpec) { s.seq++ }), none},
		"acknowledgement":        {change(func(s *segmentSpec) { s.ack++ }), none},
		"window":                 {change(func(s *segmentSpec) { s.window++ }), none},
		"options":                {change(func(s *segmentSpec) { s.options = []byte{1, 1, 8, 10, 0, 0, 0, 2, 0, 0, 0, 2} }), none},
		"no options":             {change(func(s *segmentSpec) { s.options = nil }), none},
		"options of IP":          {change(func(s *segmentSpec) { s.ipOptions = []byte{1, 1, 1, 0} }), none},
		"wrong IP checksum":      {change(func(s *segmentSpec) { s.badIP = true }), none},
		"wrong TCP checksum":     {change(func(s *segmentSpec) { s.badTL = true }), none},
		"no ACK":                 {change(func(s *segmentSpec) { s.flags = 0 }), none},
		"FIN":                    {change(func(s *segmentSpec) { s.flags |= 1 }), none},
		"SYN":                    {change(func(s *segmentSpec) { s.flags |= 2 }), none},
		"RST":                    {change(func(s *segmentSpec) { s.flags |= 4 }), none},
		"URG":                    {change(func(s *segmentSpec) { s.flags |= 0x20 }), none},
		"ECE":                    {change(func(s *segmentSpec) { s.flags |= 0x40 }), none},
		"CWR":                    {change(func(s *segmentSpec) { s.flags |= 0x80 }), none},
	} {
		t.Run(name, func(t *testing.T) {
			runs, packets := merge(t, test.pkts)
			if !slices.Equal(packets, test.want) {
				t.Errorf("runs of %v packets, want %v", packets, test.want)
			}
			checkRuns(t, test.pkts, runs)
		})
	}
}

func TestMergeFirstIsWrong(t *testing.T) {
	for _, spec := range []segmentSpec{{badTL: true}, {badIP: true}} {
		bad := data
		bad.badTL, bad.badIP = spec.badTL, spec.badIP
		pkts := stream(data, 100, 100, 100)
		pkts[0] = stream(bad, 100)[0]
		if _, packets := merge(t, pkts); !slices.Equal(packets, []int{1, 2}) {
			t.Errorf("runs of %v packets after a corrupt one, want 1, 2", packets)
		}
	}
}

// TestMergeIdentification: without DF the identification says which fragments belong
// together, so it counts (RFC 6864, section 4.1).
func TestMergeIdentification(t *testing.T) {
	spec := data
	spec.fragment = 0
	spec.id = 0xfffe
	pkts := stream(spec, 100, 100, 100, 100)
	if _, packets := merge(t, pkts); !slices.Equal(packets, []int{4}) {
		t.Errorf("runs of %v packets, want 4", packets)
	}
	spec.id, spec.seq = 5, data.seq+100
	pkts[1] = stream(spec, 100)[0]
	if _, packets := merge(t, pkts); !slices.Equal(packets, []int{1, 1, 2}) {
		t.Errorf("runs of %v packets with another identification, want 1, 1, 2", packets)
	}
}

// TestMergeTrailing: what is behind the packet is not merged into another one.
func TestMergeTrailing(t *testing.T) {
	pkts := stream(data, 100, 100)
	pkts[0] = append(pkts[0], 0)
	if _, packets := merge(t, pkts); !slices.Equal(packets, []int{1, 1}) {
		t.Errorf("runs of %v packets, want 1, 1", packets)
	}
}

// TestMergeUndoesSplit: what Split made of a super packet is merged to the same
// super packet, as far as headers allow.
func TestMergeUndoesSplit(t *testing.T) {
	for _, payload := range []int{2800, 2801, 1401, 46 * 1400} {
		spec := data
		spec.flags |= flagPSH
		spec.payload = octets(payload, 1)
		h, super := spec.super(1400)
		segments := cut(t, h, super)
		runs, packets := merge(t, segments)
		if len(runs) != 1 || packets[0] != len(segments) {
			t.Fatalf("runs of %v packets, want %d", packets, len(segments))
		}
		want := make([]byte, HeaderLen)
		h.Put(want)
		if want = append(want, super...); !bytes.Equal(runs[0], want) {
			t.Errorf("merged to\n%x, want\n%x", runs[0][:80], want[:80])
		}
		again := cut(t, h, runs[0][HeaderLen:])
		if !slices.EqualFunc(again, segments, bytes.Equal) {
			t.Error("cut again they are other segments")
		}
	}
}

// flowOf names what a packet must stay in order with. It is empty for a packet that
// may be of any flow.
func flowOf(pkt []byte) string {
	switch {
	case len(pkt) < 20 || pkt[0]>>4 != 4 || pkt[9] != 6:
		return "other"
	case len(pkt) < 40 || pkt[0] != 0x45 || pkt[6]&^0x40 != 0 || pkt[7] != 0:
		return ""
	}
	return string(pkt[12:24])
}

// plain is a packet without what may differ when it has been part of a run: its
// identification with DF, and of two names of zero the one.
func plain(pkt []byte) string {
	pkt = slices.Clone(pkt)
	if len(pkt) < 40 || pkt[0] != 0x45 || pkt[9] != 6 {
		return string(pkt)
	}
	if naive(pkt[:20]) == 0xffff {
		if pkt[6] == 0x40 && pkt[7] == 0 {
			clear(pkt[4:6])
		}
		clear(pkt[10:12])
	}
	if naive(naivePseudo(pkt, len(pkt)-20), pkt[20:]) == 0xffff {
		clear(pkt[36:38])
	}
	return string(pkt)
}

// checkRuns cuts runs and compares the packets with those that were merged: all are
// there, in order within each flow, and those of unknown flows in order with all.
func checkRuns(t *testing.T, pkts, runs [][]byte) {
	t.Helper()
	inputs := make(map[string][]int) // of each flow, the packets to come
	for i, p := range pkts {
		inputs[flowOf(p)] = append(inputs[flowOf(p)], i)
	}
	var order []int
	for _, run := range runs {
		for _, p := range naiveSplit(t, run) {
			key := flowOf(p)
			if len(inputs[key]) == 0 {
				t.Fatalf("a packet too many: %x", p)
			}
			i := inputs[key][0]
			inputs[key] = inputs[key][1:]
			if plain(p) != plain(pkts[i]) {
				t.Fatalf("packet %d became\n%x, was\n%x", i, p, pkts[i])
			}
			order = append(order, i)
		}
	}
	if len(order) != len(pkts) {
		t.Fatalf("%d packets became %d", len(pkts), len(order))
	}
	for at, i := range order {
		if flowOf(pkts[i]) != "" {
			continue
		}
		for after, j := range order {
			if flowOf(pkts[j]) != "other" && (at < after) != (i < j) && i != j {
				t.Fatalf("packets %d and %d changed places", i, j)
			}
		}
	}
}

// program makes packets of what a fuzzer gives: seven octets for each. The sums are
// right unless it wants them wrong, so that there is much to merge. The packets are
// short, so that it is fast.
func program(code []byte) (pkts [][]byte) {
	var flows [4]segmentSpec
	for i := range flows {
		flows[i] = data
		flows[i].ports = uint16(i)
		if i%2 == 1 {
			flows[i].fragment = 0
		}
	}
	for ; len(code) >= 7 && len(pkts) < MaxPackets; code = code[7:] {
		flow := &flows[code[0]&3]
		s := *flow
		s.udp = code[0]&4 != 0
		s.badIP, s.badTL = code[0]&8 != 0, code[0]&16 != 0
		if code[0]&32 != 0 {
			s.options = nil
		}
		if code[0]&64 != 0 {
			s.ipOptions = []byte{1, 1, 1, 0}
		}
		s.payload = octets(int(code[1]), len(pkts))
		s.flags ^= code[2]
		s.seq += uint32(int8(code[3]))
		s.id += uint16(code[4])
		pkt := s.packet()
		if at := int(code[5]); code[6] != 0 && at < len(pkt) { // anything at all
			pkt[at] ^= code[6]
		}
		flow.seq += uint32(len(s.payload))
		flow.id++
		pkts = append(pkts, pkt)
	}
	return pkts
}

func FuzzMerge(f *testing.F) {
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0, 200, 0, 0, 0, 0, 0}, 64))
	f.Add(bytes.Repeat([]byte{0, 100, 0, 0, 0, 0, 0, 1, 100, 0, 0, 0, 0, 0, 2, 9, 8, 0, 0, 0, 0}, 20))
	for i := range 40 {
		code := bytes.Repeat([]byte{0, 100, 0, 0, 0, 0, 0}, 5)
		copy(code[14:], []byte{byte(i * 4), 100, 0, 0, 0, byte(i), 1})
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		pkts := program(code)
		runs, _ := merge(t, pkts)
		checkRuns(t, pkts, runs)
		for _, run := range runs { // our own Split agrees with the naive one
			var h Header
			pkt, err := h.Parse(run)
			if err != nil {
				t.Fatal(err)
			}
			if h.Kind == None {
				continue
			}
			if !slices.EqualFunc(cut(t, h, pkt), naiveSplit(t, run), bytes.Equal) {
				t.Fatal("Split cuts a run otherwise")
			}
		}
	})
}

// TestMergeTwice: nothing of the packets before is left.
func TestMergeTwice(t *testing.T) {
	var m Merge
	if n := m.Load(stream(data, 100, 100), 0); n != 1 {
		t.Fatalf("%d runs, want 1", n)
	}
	m.Release()
	next := data
	next.seq += 200
	if n := m.Load(stream(next, 100), 0); n != 1 {
		t.Fatalf("%d runs, want 1", n)
	}
	if _, packets := m.Pieces(0, nil); packets != 1 {
		t.Errorf("a run of %d packets, want 1", packets)
	}
}

func TestMergeAllocatesNothing(t *testing.T) {
	for _, interleaved := range []bool{false, true} {
		pkts := benchmarkPackets(interleaved)
		m := new(Merge)
		pieces := make([][]byte, 0, MaxPieces)
		if n := testing.AllocsPerRun(100, func() {
			for k := range m.Load(pkts, 0) {
				m.Pieces(k, pieces)
			}
			m.Release()
		}); n != 0 {
			t.Errorf("%v allocations, want 0", n)
		}
	}
}

// benchmarkPackets are 46 segments of one flow, or of eight flows by turns.
func benchmarkPackets(interleaved bool) (pkts [][]byte) {
	sizes := slices.Repeat([]int{1400}, 46)
	if !interleaved {
		return stream(data, sizes...)
	}
	var streams [][][]byte
	for i := range 8 {
		s := data
		s.ports = uint16(i)
		streams = append(streams, stream(s, sizes[:6]...))
	}
	for i := range 46 {
		pkts = append(pkts, streams[i%8][i/8])
	}
	return pkts
}

func BenchmarkMerge(b *testing.B) {
	for _, interleaved := range []bool{false, true} {
		b.Run(fmt.Sprintf("interleaved %t", interleaved), func(b *testing.B) {
			pkts := benchmarkPackets(interleaved)
			m := new(Merge)
			pieces := make([][]byte, 0, MaxPieces)
			b.SetBytes(46 * 1452)
			for b.Loop() {
				for k := range m.Load(pkts, 0) {
					m.Pieces(k, pieces)
				}
				m.Release()
			}
		})
	}
}
