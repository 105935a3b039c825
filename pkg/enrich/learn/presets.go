package learn

import (
	_ "embed"
	"fmt"
	"slices"
	"sync"

	"leat/pkg/yamlfile"
)

//go:embed presets.yaml
var presetsFile []byte

// presets reads the built-in facts, once.
var presets = sync.OnceValue(func() map[string][]FactConfig {
	var all map[string][]FactConfig
	if _, err := yamlfile.Decode("presets.yaml", presetsFile, &all); err != nil {
		// The file is part of the program; TestPresets reads it.
		panic(err)
	}
	for name, facts := range all {
		for i := range facts {
			facts[i].Name = fmt.Sprintf("%s.%s", name, facts[i].Name)
		}
	}
	return all
})

// Presets returns the names of the sets of built-in facts.
func Presets() []string {
	var out []string
	for name := range presets() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func preset(name string) []FactConfig { return presets()[name] }
