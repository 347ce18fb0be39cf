package link

import (
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/ccp"
)

const (
	// encryptionWait bounds the wait for CCP: three lost requests. It is doubled
	// for a peer that has shown that it wants encryption too.
	encryptionWait = 10 * time.Second
	// repairWindow is how long one repair of CCP must hold: a second loss within
	// it ends the link.
	repairWindow = time.Minute
	// compressionWait bounds the wait for CCP where nothing but compression is to
	// be had: a peer that does not know CCP says so at once, and for one that says
	// nothing two requests are enough.
	compressionWait = 5 * time.Second
	// inFlight is how long packets from before a change of CCP may still arrive.
	inFlight = time.Second
	// minResetWait and resetTrips space the Reset-Requests of one loss; after
	// maxResets without a resynchronisation CCP is repaired.
	minResetWait = 100 * time.Millisecond
	resetTrips   = 2
	maxResets    = 10
)

// encryption is what a link knows about CCP. A link that was encrypted once stays
// so: whoever forges a CCP packet can interrupt it, but not make it clear.
type encryption struct {
	ccp                *ccp.Machine // nil: every CCP packet gets a Protocol-Reject
	compressOnly       bool         // ccp has no encryption to offer
	settled            bool         // agreed on, or agreed on none
	was                bool         // encrypted at any time
	keyed              bool         // the data path holds a key
	sending, receiving mppe.Config  // agreed; zero in clear
	giveUp             time.Time    // to settle; zero if settled
	prolonged          bool         // giveUp was put off
	changed            time.Time    // settled or unsettled
	repaired           time.Time
	resets             int // Reset-Requests without a resynchronisation
	resetAt            time.Time
}

// startEncryption opens CCP if the policy and the keys allow it.
func (l *Link) startEncryption(now time.Time) {
	policy := l.policy()
	switch {
	case policy == EncryptionRequired && l.keys == nil:
		l.fail(now, ReasonEncryption, ErrNoKeys)
		return
	case policy >= EncryptionYes && l.keys != nil:
		l.openCCP(now, ccp.Config{Strengths: l.cfg.Strengths, StatelessOnly: l.cfg.StatelessOnly, Compress: l.cfg.Compression})
	case l.cfg.Compression:
		l.compressOnly = true
		l.openCCP(now, ccp.Config{Compress: true, NoEncryption: true})
	default:
		l.settled = true
	}
	for _, packet := range l.early.take(ppp.ProtocolCCP) {
		l.inputCCP(now, packet)
	}
	if l.settled {
		l.startNetwork(now)
	}
}

func (l *Link) openCCP(now time.Time, cfg ccp.Config) {
	l.ccp = ccp.New(cfg)
	l.settled, l.giveUp, l.changed = false, now.Add(l.settleWait()), now
	l.ccp.Start(now)
	l.pumpCCPAll(now) // our request goes before the answer to an early one
}

// settleWait bounds the wait for CCP.
func (l *Link) settleWait() time.Duration {
	if l.compressOnly {
		return compressionWait
	}
	return encryptionWait
}

// startKeys are the keys of MPPE, zero where there is only compression.
func (l *Link) startKeys() mppe.Keys {
	if l.compressOnly {
		return mppe.Keys{}
	}
	return *l.keys
}

// policy is what holds now.
func (l *Link) policy() Encryption {
	if l.was {
		return EncryptionRequired
	}
	return l.cfg.Encryption
}

// dropEncryption forgets CCP, but not that the link was encrypted.
func (l *Link) dropEncryption() {
	l.encryption = encryption{was: l.was, repaired: l.repaired}
}

// block takes the keys away from the data path.
func (l *Link) block() {
	if l.keyed {
		l.keyed = false
		l.emit(Blocked{})
	}
}

func (l *Link) pumpCCPAll(now time.Time) {
	for !l.done && l.pumpCCP(now) {
	}
}

func (l *Link) pumpCCP(now time.Time) bool {
	if l.ccp == nil {
		return false
	}
	o, ok := l.ccp.Next()
	if !ok {
		return false
	}
	switch o.Kind {
	case ccp.Send:
		l.send(ppp.ProtocolCCP, o.Packet)
	case ccp.Arm:
		l.keyed = true
		l.emit(ReceiveKey{Config: o.Receive, Key: l.startKeys().Receive})
	case ccp.Opened:
		l.encrypted(now, o)
	case ccp.Left:
		l.unsettle(now)
		if o.Err != nil {
			l.repair(now, o.Err)
		}
	case ccp.Refused:
		l.refused(now, o.Err)
	case ccp.Flush:
		l.emit(FlushSend{Ack: l.frame(ppp.ProtocolCCP, o.Packet)})
	}
	return true
}

// encrypted settles CCP with what was agreed on: encryption, or compression only.
func (l *Link) encrypted(now time.Time, o ccp.Output) {
	l.settled, l.giveUp, l.changed = true, time.Time{}, now
	l.was = l.was || !l.compressOnly
	l.sending, l.receiving, l.resets = o.Send, o.Receive, 0
	l.emit(SendKey{Config: o.Send, Key: l.startKeys().Send})
	l.startNetwork(now)
}

// refused settles CCP without encryption, if the policy bears it.
func (l *Link) refused(now time.Time, err error) {
	if l.policy() == EncryptionRequired {
		l.fail(now, ReasonEncryption, err)
		return
	}
	l.block()
	l.networkDown() // the gate that a repair closed opens again by a NetworkUp
	l.settled, l.giveUp, l.changed = true, time.Time{}, now
	l.sending, l.receiving = mppe.Config{}, mppe.Config{}
	l.startNetwork(now)
}

// unsettle stops user packets until CCP is settled again.
func (l *Link) unsettle(now time.Time) {
	l.block()
	l.settled, l.giveUp, l.prolonged, l.changed = false, now.Add(l.settleWait()), false, now
}

// repair negotiates CCP again, once within repairWindow. The second time it ends
// the link: a session that is up but carries nothing is the worst of all. If it
// is compressed only, it ends compression.
func (l *Link) repair(now time.Time, cause error) {
	again := !l.repaired.IsZero() && now.Sub(l.repaired) < repairWindow
	if again && l.compressOnly && (l.sending.Compress || l.receiving.Compress) {
		l.ccp.Refuse(now, cause)
		return
	}
	if l.ccp == nil || again {
		l.fail(now, ReasonEncryption, cause)
		return
	}
	l.repaired = now
	if l.settled {
		l.keyed = true // the gate closes in clear as well
		l.unsettle(now)
	}
	l.ccp.Start(now)
}

// Undecryptable tells that an encrypted packet came for which the data path has
// no key. The peer takes encryption for agreed on, so CCP is negotiated again;
// a Protocol-Reject would leave a link that is up and carries nothing.
func (l *Link) Undecryptable(now time.Time) {
	l.unreadable(now)
	l.pump(now)
}

// unreadable is the fault at either end: we cannot read the peer, or it has told
// us by a Protocol-Reject of 0x00FD that it cannot read us.
func (l *Link) unreadable(now time.Time) {
	if l.done || l.phase != network || !l.settled || now.Sub(l.changed) < inFlight {
		return // not settled: it is being worked on, within giveUp
	}
	l.repair(now, ErrNoMPPE)
}

// NeedReset tells that the data path lost step in stateful mode (RFC 3078,
// section 3.2). It may be called for each packet that is dropped for that.
func (l *Link) NeedReset(now time.Time) {
	if l.done || l.ccp == nil || !l.ccp.Opened() {
		return
	}
	rtt, _ := l.lcp.RTT()
	if l.resets > 0 && now.Sub(l.resetAt) < max(minResetWait, resetTrips*rtt) {
		return
	}
	l.resetAt = now
	if l.resets++; l.resets > maxResets {
		l.repair(now, ErrResync)
	} else {
		l.ccp.RequestReset()
	}
	l.pump(now)
}

// Resynced tells that the data path is in step again.
func (l *Link) Resynced() { l.resets = 0 }

// tickEncryption ends the wait for CCP. A peer that may believe in an agreement
// would drop what goes on in clear, so with it the link ends.
func (l *Link) tickEncryption(now time.Time) {
	if l.giveUp.IsZero() || now.Before(l.giveUp) || l.ccp == nil {
		return
	}
	switch {
	case l.compressOnly:
		l.ccp.Refuse(now, ErrPhase) // what goes on in clear the peer reads
	case l.ccp.Promised() && !l.prolonged:
		l.prolonged, l.giveUp = true, now.Add(encryptionWait)
	case l.ccp.Promised():
		l.fail(now, ReasonEncryption, ErrPhase)
	default:
		l.ccp.Refuse(now, ErrPhase)
	}
	l.pump(now)
}
