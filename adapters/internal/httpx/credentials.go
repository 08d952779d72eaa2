package httpx

import (
	"encoding/base64"
	"io"
	"os"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// maxSecretBytes bounds a token or password file; a larger one is another file.
const maxSecretBytes = 8 << 10

// authorization returns the header's value for one request, or "" when no credentials are configured.
func (c Config) authorization(op string) (string, error) {
	switch {
	case c.TokenFile != "":
		token, err := secret(op, c.TokenFile)
		return "Bearer " + token, err
	case c.PasswordFile != "":
		password, err := secret(op, c.PasswordFile)
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Username+":"+password)), err
	default:
		return "", nil
	}
}

// secret reads one line from a file. Surrounding white space is not part of it.
func secret(op, name string) (string, error) {
	bad := fault.New(fault.Stop, op, "credential-file", "the file with the token or password cannot be used").
		Hint("write the secret into it as one line, readable for einmal's user")
	f, err := os.Open(name)
	if err != nil {
		return "", bad
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	s := strings.TrimSpace(string(b))
	if err != nil || len(b) > maxSecretBytes || s == "" || !ascii(s) {
		return "", bad
	}
	return s, nil
}
