package metrics

import "gopptp/internal/radius"

// access is what RADIUS servers are asked and what they order.
func access(s Sources) part {
	server := label{name: "server", from: "address in /radius"}
	kind := label{name: "kind", values: words(radius.NumPurposes)}
	requests := newFamily(counter, "radius_requests_total",
		"Requests to RADIUS servers by what became of them. Answered accounting counts as accept.", server, kind, label{name: "result", values: words(radius.NumResults)})
	took := newFamily(histogram, "radius_request_seconds", "How long it took until a request was answered, from its first transmission.", server, kind)
	up := newFamily(gauge, "radius_server_up", "0 if a server did not answer when it was last asked.", server, label{name: "kind", values: words(radius.ForStatus)})
	resends := newFamily(counter, "radius_resends_total", "Requests that were sent again.", server)
	bad := newFamily(counter, "radius_bad_replies_total", "Replies of a server that are malformed or wrongly signed.", server)
	pending := newFamily(gauge, "radius_pending_requests", "Requests that wait for an answer.", server)
	queue := newFamily(gauge, "radius_accounting_queue_records", "Accounting records that no server has taken yet.")
	lost := newFamily(counter, "radius_accounting_lost_records_total", "Accounting records that no server will ever have.")
	orders := newFamily(counter, "radius_incoming_requests_total",
		"Requests of servers to end or change sessions: done, refused, and not answered since they are wrongly signed, too old or from elsewhere.",
		label{name: "result", values: []string{"ack", "nak", "bad"}})
	return part{[]*family{requests, took, up, resends, bad, pending, queue, lost, orders}, func(e emit) {
		for _, t := range s.Access.Tallies() {
			address := t.Address.String()
			for p := range radius.NumPurposes {
				for r := range radius.NumResults {
					number(e, requests, t.Results[p][r], address, p.String(), r.String())
				}
				times(e, took, t.Answered[p], address, p.String())
			}
			for p := range radius.ForStatus {
				truth(e, up, !t.Silent[p], address, p.String())
			}
			number(e, resends, t.Resends, address)
			number(e, bad, t.BadReplies, address)
			number(e, pending, t.Pending, address)
		}
		waiting, gone := s.Access.Queue()
		number(e, queue, waiting)
		number(e, lost, gone)
		in := s.Access.IncomingMonitor()
		number(e, orders, in.Acks, "ack")
		number(e, orders, in.Naks, "nak")
		number(e, orders, in.BadRequests, "bad")
	}}
}
