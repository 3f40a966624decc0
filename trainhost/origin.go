package trainhost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/gpu"
)

// Origin says what made a run: it is kept in checkpoints and in packed weights.
type Origin struct {
	// Command is the word after trainhost.
	Command string `json:"command,omitempty"`
	// Data is what the run is trained on. Without a digest it is not known.
	Data DataPrint `json:"data"`
	// Hosts are where the run went on, in order; one entry as long as nothing changes.
	Hosts []Host `json:"hosts,omitempty"`
}

// Host is a program on a device.
type Host struct {
	Version string `json:"version"` // of trainhost
	Device  string `json:"device"`
	Driver  string `json:"driver"`
}

// HostOf describes a device, for a program of the version.
func HostOf(version string, dev *gpu.Device) Host {
	info := dev.Info()
	driver := strings.TrimSpace(info.DriverName + " " + info.DriverInfo)
	if driver == "" {
		driver = "unknown"
	}
	return Host{version, info.Name, driver}
}

// String is the host in words.
func (h Host) String() string {
	return fmt.Sprintf("trainhost %s on %s, driver %s", h.Version, h.Device, h.Driver)
}

// Began gives the origin of a run that begins, or goes on (o not nil), on a host with some data.
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

// Describe tells the origin in lines, none if it is not known.
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

// DataPrint tells one training set from another by its pictures: what they hold, and their order.
type DataPrint struct {
	Folder   string `json:"folder"` // the last part of its name
	Pictures int    `json:"pictures"`
	// Digest is a hash of the pictures' files, in hexadecimal; "" if it is not known.
	Digest string `json:"digest"`
}

// String is the print in words.
func (p DataPrint) String() string {
	return fmt.Sprintf("%d pictures of %q, fingerprint %s", p.Pictures, p.Folder, p.Digest)
}

// Same tells whether two prints are of the same pictures; known is false if either lacks its
// digest.
func (p DataPrint) Same(q DataPrint) (same, known bool) {
	return p.Pictures == q.Pictures && p.Digest == q.Digest, p.Digest != "" && q.Digest != ""
}
