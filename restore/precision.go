package restore

import (
	"fmt"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef/compile"
)

// Precision says in how many bits the device's memory holds the networks' activations and weights,
// and in how many bits cooperative matrices multiply them. All other arithmetic is float32 at any
// precision.
type Precision int

// The precisions.
const (
	// AutoPrecision is Float16 on GPUs that can store it. It is Float32 on others and on software
	// drivers, which gain nothing by Float16.
	AutoPrecision Precision = iota
	Float32
	// Float16 needs half the memory and memory traffic. Restorations differ by hundredths of a
	// decibel (docs/QUALITY.md). It needs 16-bit storage buffers and, on Mesa's software driver,
	// Config.Portable.
	Float16
)

var precisionNames = [...]string{"auto", "fp32", "fp16"}

func (p Precision) String() string {
	if p < 0 || int(p) >= len(precisionNames) {
		return fmt.Sprintf("Precision(%d)", int(p))
	}
	return precisionNames[p]
}

// ParsePrecision reads "auto", "fp32" or "fp16".
func ParsePrecision(s string) (Precision, error) {
	for i, name := range precisionNames {
		if s == name {
			return Precision(i), nil
		}
	}
	return 0, fmt.Errorf("precision %q must be auto, fp32 or fp16", s)
}

// Half reports whether programs for a device store float16.
func (p Precision) Half(info gpu.Info) bool {
	return p == Float16 || p == AutoPrecision && compile.GainsByHalf(info)
}

// checkPrecision returns a *ConfigError if the device cannot work at the precision.
func (cfg Config) checkPrecision(info gpu.Info) error {
	switch {
	case cfg.Precision < AutoPrecision || cfg.Precision > Float16:
		return &ConfigError{"Precision", fmt.Sprintf("is %d, must be AutoPrecision, Float32 or Float16", cfg.Precision)}
	case cfg.Precision == Float16 && !info.Caps.Storage16:
		return &ConfigError{"Precision", fmt.Sprintf(
			"is fp16, which %s cannot store (it has no 16-bit storage buffers); use auto or fp32", info.Name)}
	case cfg.Precision == Float16 && !compile.CanHalf(info.Caps, cfg.Portable):
		return &ConfigError{"Precision", "is fp16, which is only slower on Mesa's software driver; use auto or fp32, or set Portable to try it"}
	}
	return nil
}
