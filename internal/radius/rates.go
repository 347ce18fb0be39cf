package radius

import "strconv"

// rates collects what a packet says of rates; see rates.rate.
type rates struct {
	mikrotik       string
	ascendData     []uint32 // the first two
	ascendXmit     *uint32
	minUp, minDown uint32
	maxUp, maxDown uint32
	hasMikrotik    bool
	hasAscend      bool
	hasWISPr       bool
}

func (r *rates) set(k kind, v []byte) (known bool, err error) {
	if k == attrMikrotikRateLimit {
		r.mikrotik, r.hasMikrotik = string(v), true
		return true, nil
	}
	n, err := number(v)
	switch k {
	case attrAscendDataRate:
		r.hasAscend = true
		if len(r.ascendData) < 2 {
			r.ascendData = append(r.ascendData, n)
		}
	case attrAscendXmitRate:
		r.ascendXmit, r.hasAscend = &n, true
	case attrWISPrMinUp:
		r.minUp, r.hasWISPr = n, true
	case attrWISPrMinDown:
		r.minDown, r.hasWISPr = n, true
	case attrWISPrMaxUp:
		r.maxUp, r.hasWISPr = n, true
	case attrWISPrMaxDown:
		r.maxDown, r.hasWISPr = n, true
	default:
		return false, nil
	}
	return true, err
}

// rate gives the rate limit in the grammar of a profile, where rx comes first:
// what the client sends. Mikrotik's beats Ascend's beats WISPr's. Zero is no
// limit.
func (r *rates) rate() (rate string, ordered bool) {
	pair := func(rx, tx uint32) string {
		return strconv.FormatUint(uint64(rx), 10) + "/" + strconv.FormatUint(uint64(tx), 10)
	}
	switch {
	case r.hasMikrotik:
		return r.mikrotik, true
	case r.hasAscend:
		var rx, tx uint32
		switch {
		case r.ascendXmit != nil: // Data-Rate beside it is for what the client sends
			tx = *r.ascendXmit
			if len(r.ascendData) > 0 {
				rx = r.ascendData[0]
			}
		case len(r.ascendData) == 2: // the first one is for what the client gets
			tx, rx = r.ascendData[0], r.ascendData[1]
		default:
			tx = r.ascendData[0]
		}
		return pair(rx, tx), true
	case r.hasWISPr:
		s := pair(r.maxUp, r.maxDown)
		if r.minUp != 0 || r.minDown != 0 {
			// Burst rates, thresholds and times, and the priority that means none.
			s += " 0/0 0/0 0/0 8 " + pair(r.minUp, r.minDown)
		}
		return s, true
	}
	return "", false
}

// limits collects the low and high halves of the octet limits.
type limits struct {
	low, high [3]uint32
	has       [3]bool
}

func (l *limits) set(k kind, v []byte) (known bool, err error) {
	half, i := &l.low, 0
	switch k {
	case attrMikrotikRecvLimit:
	case attrMikrotikRecvGiga:
		half = &l.high
	case attrMikrotikXmitLimit:
		i = 1
	case attrMikrotikXmitGiga:
		half, i = &l.high, 1
	case attrMikrotikTotalLimit:
		i = 2
	case attrMikrotikTotalGiga:
		half, i = &l.high, 2
	default:
		return false, nil
	}
	half[i], err = number(v)
	l.has[i] = true
	return true, err
}

func (l *limits) value(i int) uint64 { return uint64(l.high[i])<<32 | uint64(l.low[i]) }
