// Package secret reads what must not stand in a configuration file: a password, a token, a connection string. The file
// says only from where: an environment variable or a file.
//
// It is not a store of secrets, and doesn't protect them in memory. It delivers nothing and keeps nothing.
package secret

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"leat/pkg/dimension"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a secret's file, in bytes.
const maxFile = 64 << 10

// Value is a text of a configuration file: the text itself, {env: NAME} or {file: PATH}.
type Value struct {
	Text string
	Env  string
	File string
}

// UnmarshalYAML takes a word, or a table with env or file.
func (v *Value) UnmarshalYAML(n *yaml.Node) error {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode {
		v.Text = n.Value
		return nil
	}
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 || n.Content[1].Kind != yaml.ScalarNode || n.Content[1].Value == "" {
		return errors.New("expected a text, {env: NAME} or {file: PATH}")
	}
	switch n.Content[0].Value {
	case "env":
		v.Env = n.Content[1].Value
	case "file":
		v.File = n.Content[1].Value
	default:
		return fmt.Errorf("unknown key %q; expected env or file", n.Content[0].Value)
	}
	return nil
}

// Zero says whether nothing is given.
func (v Value) Zero() bool { return v == Value{} }

// Read returns the value. Relative files are below base; the white space at a file's end is not part of it. The error names
// the place, never the value.
func (v Value) Read(base string) (string, error) {
	switch {
	case v.Env != "":
		s, ok := os.LookupEnv(v.Env)
		if !ok || s == "" {
			return "", fmt.Errorf("the environment has no %s", v.Env)
		}
		return s, nil
	case v.File != "":
		path := dimension.Below(base, v.File)
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		if !info.Mode().IsRegular() || info.Size() > maxFile {
			return "", fmt.Errorf("read secret %s: expected a regular file of at most %d bytes", path, maxFile)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		s := strings.TrimRight(string(data), " \t\r\n")
		if s == "" {
			return "", fmt.Errorf("read secret %s: it is empty", path)
		}
		return s, nil
	}
	return v.Text, nil
}
