package trainhost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/gpu"
)

// Origin says how a run was made. Checkpoints and packed weights keep it.
type Origin struct {
	// Command is the word after trainhost.
	Command string `json:"command,omitempty"`
	// Data identifies the training pictures. They are not known if it has no digest.
	Data DataPrint `json:"data"`
	// Hosts are the programs and devices of the run in order, without repeating one that stays.
	Hosts []Host `json:"hosts,omitempty"`
}

// Host is a program on a device.
type Host struct {
	Version string `json:"version"` // of trainhost
	Device  string `json:"device"`
	Driver  string `json:"driver"`
}

// HostOf describes a device and the version of the program.
func HostOf(version string, dev *gpu.Device) Host {
	info := dev.Info()
	driver := strings.TrimSpace(info.DriverName + " " + info.DriverInfo)
	if driver == "" {
		driver = "unknown"
	}
	return Host{version, info.Name, driver}
}

// String describes the host in words.
func (h Host) String() string {
	return fmt.Sprintf("trainhost %s on %s, driver %s", h.Version, h.Device, h.Driver)
}

// Began returns the origin of a run that begins (o is nil) or continues (o is its origin so far) on
// a host.
func (o *Origin) Began(command string, data DataPrint, host Host) *Origin {
	next := Origin{Command: command, Data: data}
	if o != nil {
		next.Hosts = slices.Clone(o.Hosts)
	}
	if n := len(next.Hosts); n == 0 || next.Hosts[n-1] != host {
		next.Hosts = append(next.Hosts, host)
	}
	return &next
}

// Describe returns the origin in lines of text, none if o is nil.
func (o *Origin) Describe() (lines []string) {
	if o == nil {
		return nil
	}
	if o.Data.Digest != "" {
		lines = append(lines, "trained on "+o.Data.String())
	}
	for _, h := range o.Hosts {
		lines = append(lines, h.String())
	}
	return lines
}

// DataPrint identifies a training set by the contents and the order of its pictures.
type DataPrint struct {
	Folder   string `json:"folder"` // the last element of its path
	Pictures int    `json:"pictures"`
	// Digest is a hash of the pictures' files, in hexadecimal; "" if it is not known.
	Digest string `json:"digest"`
}

// String describes the set in words.
func (p DataPrint) String() string {
	return fmt.Sprintf("%d pictures of %q, fingerprint %s", p.Pictures, p.Folder, p.Digest)
}

// Same reports whether two sets have the same pictures. known is false if either has no digest.
func (p DataPrint) Same(q DataPrint) (same, known bool) {
	return p.Pictures == q.Pictures && p.Digest == q.Digest, p.Digest != "" && q.Digest != ""
}
