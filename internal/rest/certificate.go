package rest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateName is the file in the data directory that has the certificate and
// its key, so that one cannot be there without the other.
const certificateName = "https.pem"

// validity is how long a certificate of ours is good for. Nobody renews it, and
// whoever trusts it does so by its fingerprint.
const validity = 10 * 365 * 24 * time.Hour

// Certificate gives the certificate for HTTPS that is kept in dir. At the first
// start there is none: it makes one, signed by itself.
func Certificate(dir string) (tls.Certificate, error) {
	path := filepath.Join(dir, certificateName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeCertificate(path); err != nil {
			return tls.Certificate{}, fmt.Errorf("rest: certificate: %w", err)
		}
	}
	return LoadCertificate(path, path)
}

// LoadCertificate reads a certificate, with those between it and its root after
// it, and its key from PEM files.
func LoadCertificate(certFile, keyFile string) (tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("rest: certificate: %w", err)
	}
	return c, nil
}

// makeCertificate writes a certificate and its key, both new.
func makeCertificate(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	names := []string{"localhost"}
	if host, err := os.Hostname(); err == nil && host != "" && host != names[0] {
		names = append(names, host)
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "gopptp"},
		DNSNames:    names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:   now.Add(-time.Hour), // clocks differ
		NotAfter:    now.Add(validity),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return writeFile(path, append(b, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...))
}

// writeFile writes a file that only its owner may read, in one step: nobody sees
// a part of it.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)) // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of no effect once it is renamed
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
