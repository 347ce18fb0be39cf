package rawgre

// ReceiveBuffer lets the tests read what the kernel granted and asked for.
const ReceiveBuffer = receiveBuffer

// Raw gives the tests the socket's descriptor.
func (s *Socket) Raw() func(f func(fd uintptr)) error { return s.in.Control }

// RawOut is Raw for the socket that sends.
func (s *Socket) RawOut() func(f func(fd uintptr)) error { return s.out.Control }
