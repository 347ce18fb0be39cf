package wire

import "fmt"

// A Type is a control message type (RFC 2637, section 1.4).
type Type uint16

// The control message types.
const (
	TypeStartControlConnectionRequest Type = iota + 1
	TypeStartControlConnectionReply
	TypeStopControlConnectionRequest
	TypeStopControlConnectionReply
	TypeEchoRequest
	TypeEchoReply
	TypeOutgoingCallRequest
	TypeOutgoingCallReply
	TypeIncomingCallRequest
	TypeIncomingCallReply
	TypeIncomingCallConnected
	TypeCallClearRequest
	TypeCallDisconnectNotify
	TypeWANErrorNotify
	TypeSetLinkInfo
)

// String gives the RFC's name of the message.
func (t Type) String() string {
	switch t {
	case TypeStartControlConnectionRequest:
		return "Start-Control-Connection-Request"
	case TypeStartControlConnectionReply:
		return "Start-Control-Connection-Reply"
	case TypeStopControlConnectionRequest:
		return "Stop-Control-Connection-Request"
	case TypeStopControlConnectionReply:
		return "Stop-Control-Connection-Reply"
	case TypeEchoRequest:
		return "Echo-Request"
	case TypeEchoReply:
		return "Echo-Reply"
	case TypeOutgoingCallRequest:
		return "Outgoing-Call-Request"
	case TypeOutgoingCallReply:
		return "Outgoing-Call-Reply"
	case TypeIncomingCallRequest:
		return "Incoming-Call-Request"
	case TypeIncomingCallReply:
		return "Incoming-Call-Reply"
	case TypeIncomingCallConnected:
		return "Incoming-Call-Connected"
	case TypeCallClearRequest:
		return "Call-Clear-Request"
	case TypeCallDisconnectNotify:
		return "Call-Disconnect-Notify"
	case TypeWANErrorNotify:
		return "WAN-Error-Notify"
	case TypeSetLinkInfo:
		return "Set-Link-Info"
	}
	return fmt.Sprintf("control message type %d", uint16(t))
}

// length is the one length that messages of type t have, or zero if t is
// unknown.
func (t Type) length() int {
	switch t {
	case TypeStartControlConnectionRequest:
		return startControlConnectionRequestLen
	case TypeStartControlConnectionReply:
		return startControlConnectionReplyLen
	case TypeStopControlConnectionRequest:
		return stopControlConnectionRequestLen
	case TypeStopControlConnectionReply:
		return stopControlConnectionReplyLen
	case TypeEchoRequest:
		return echoRequestLen
	case TypeEchoReply:
		return echoReplyLen
	case TypeOutgoingCallRequest:
		return outgoingCallRequestLen
	case TypeOutgoingCallReply:
		return outgoingCallReplyLen
	case TypeIncomingCallRequest:
		return incomingCallRequestLen
	case TypeIncomingCallReply:
		return incomingCallReplyLen
	case TypeIncomingCallConnected:
		return incomingCallConnectedLen
	case TypeCallClearRequest:
		return callClearRequestLen
	case TypeCallDisconnectNotify:
		return callDisconnectNotifyLen
	case TypeWANErrorNotify:
		return wanErrorNotifyLen
	case TypeSetLinkInfo:
		return setLinkInfoLen
	}
	return 0
}

// newMessage makes an empty message of a known type.
func newMessage(t Type) Message {
	switch t {
	case TypeStartControlConnectionRequest:
		return new(StartControlConnectionRequest)
	case TypeStartControlConnectionReply:
		return new(StartControlConnectionReply)
	case TypeStopControlConnectionRequest:
		return new(StopControlConnectionRequest)
	case TypeStopControlConnectionReply:
		return new(StopControlConnectionReply)
	case TypeEchoRequest:
		return new(EchoRequest)
	case TypeEchoReply:
		return new(EchoReply)
	case TypeOutgoingCallRequest:
		return new(OutgoingCallRequest)
	case TypeOutgoingCallReply:
		return new(OutgoingCallReply)
	case TypeIncomingCallRequest:
		return new(IncomingCallRequest)
	case TypeIncomingCallReply:
		return new(IncomingCallReply)
	case TypeIncomingCallConnected:
		return new(IncomingCallConnected)
	case TypeCallClearRequest:
		return new(CallClearRequest)
	case TypeCallDisconnectNotify:
		return new(CallDisconnectNotify)
	case TypeWANErrorNotify:
		return new(WANErrorNotify)
	case TypeSetLinkInfo:
		return new(SetLinkInfo)
	}
	panic("pptp/wire: newMessage of a type that header lets through")
}
