package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopptp/internal/journal"
	"gopptp/internal/nas"
	"gopptp/internal/radius"
	"gopptp/internal/rest"
	"gopptp/internal/session"
)

// An engine is all that the tree configures and watches: the sessions, and RADIUS
// behind them.
type engine struct {
	*session.Manager
	*nas.NAS
	data string // where certificates are
	log  *journal.Journal
}

// SetIdentity implements tree.Engine.
func (e engine) SetIdentity(name string) {
	e.Manager.SetIdentity(name)
	e.NAS.SetIdentity(name)
}

// SetServers implements tree.Engine.
func (e engine) SetServers(list []radius.Server) {
	for i := range list {
		s := &list[i]
		if s.Protocol != radius.RadSec || s.Certificate == "" || s.Certificate == "none" {
			continue
		}
		config, err := clientTLS(e.data, s.Certificate)
		if err != nil {
			e.log.Addf("radius,error", "radsec server %v is not asked: certificate %s: %v", s.Address, s.Certificate, err)
			s.Disabled = true
			continue
		}
		s.TLS = config
	}
	e.NAS.SetServers(list)
}

// clientTLS makes the TLS settings of a RadSec client: the certificate NAME.crt
// with NAME.key, and in NAME.ca, if it is there, the authorities that the server's
// certificate must be of.
func clientTLS(data, name string) (*tls.Config, error) {
	if !filepath.IsLocal(name) || strings.ContainsRune(name, filepath.Separator) {
		return nil, errors.New("the name is no name of a file")
	}
	base := filepath.Join(data, name)
	certificate, err := rest.LoadCertificate(base+".crt", base+".key")
	if err != nil {
		return nil, err
	}
	c := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	authorities, err := os.ReadFile(base + ".ca")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return nil, err
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("%s.ca has no certificate", name)
	}
	return c, nil
}
