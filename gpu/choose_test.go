package gpu

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	t.Setenv("VFM_DEVICE", "")
	have := []Info{
		{Index: 0, Name: "llvmpipe (LLVM 15)", DriverName: "llvmpipe", Type: CPU},
		{Index: 1, Name: "Virtio Venus", Type: Virtual},
		{Index: 2, Name: "Radeon 680M", DriverName: "radv", Type: Integrated},
		{Index: 3, Name: "Old Card", Type: Discrete, Unusable: "it has Vulkan 1.0.3"},
		{Index: 4, Name: "GeForce RTX 4090", DriverName: "NVIDIA", Type: Discrete},
		{Index: 5, Name: "Radeon Pro", DriverName: "radv", Type: Discrete},
		{Index: 6, Name: "Strange", Type: Other},
	}
	for _, c := range []struct {
		have []Info
		want string
		pick int
	}{
		{have, "", 4}, {have[:4], "", 2}, {have[:2], "", 1}, {have[:1], "", 0}, {have[6:], "", 0},
		{have, "0", 0}, {have, "2", 2}, {have, "LLVMpipe", 0}, {have, "radeon", 5}, {have, "RADV", 5}, {have, "680", 2},
		{have, "4090", 4}, // too large for an index, so a part of a name
		{have, "3", -1}, {have, "old", -1}, {have, "7", -1}, {have, "-1", -1}, {have, "Arc", -1}, {nil, "", -1},
		{have[3:4], "", -1},
	} {
		got, err := choose(c.have, c.want)
		if c.pick >= 0 {
			if err != nil || got != c.pick {
				t.Errorf("choose(%d devices, %q) = %d, %v; want %d", len(c.have), c.want, got, err, c.pick)
			}
			continue
		}
		var no *NoDeviceError
		if !errors.As(err, &no) {
			t.Errorf("choose(%q) = %d, %v; want a NoDeviceError", c.want, got, err)
			continue
		}
		for _, h := range c.have {
			if !strings.Contains(err.Error(), h.Name) {
				t.Errorf("choose(%q): %q does not name %s", c.want, err, h.Name)
			}
		}
	}
	t.Setenv("VFM_DEVICE", "venus")
	if got, err := choose(have, ""); err != nil || got != 1 {
		t.Errorf("VFM_DEVICE=venus picks %d, %v", got, err)
	}
	if got, err := choose(have, "680M"); err != nil || got != 2 {
		t.Errorf("an explicit choice under VFM_DEVICE picks %d, %v", got, err)
	}
	t.Setenv("VFM_DEVICE", "nothing such")
	if _, err := choose(have, ""); err == nil || !strings.Contains(err.Error(), "VFM_DEVICE") {
		t.Errorf("a bad VFM_DEVICE gives %v", err)
	}
}

func TestListAndOpen(t *testing.T) {
	list := must[[]Info](t)(List())
	for k, i := range list {
		if i.Index != k || i.Name == "" || i.API == 0 {
			t.Errorf("device %d: %+v", k, i)
		}
		c := i.Caps
		if i.Unusable == "" && (c.MaxInvocations < 128 || c.MaxShared < 16384 || c.MaxPush < 128 || c.MaxStorageBindings < 4 ||
			c.MaxStorageRange < 1<<27 || c.MaxAlloc < 1<<28 || c.HeapSize <= 0 || c.HeapBudget <= 0 || c.MinStorageAlign > 256 ||
			c.SubgroupSize < 1 || c.MaxGroups[0] < 65535 || c.MaxWorkgroup[0] < 128) {
			t.Errorf("%s: implausible limits %+v", i.Name, c)
		}
	}
	d := openTest(t, Options{})
	best := d.Info()
	if best.Unusable != "" || best != list[best.Index] && best.Caps.HeapBudget == list[best.Index].Caps.HeapBudget {
		t.Errorf("opened %+v", best)
	}
	name := list[best.Index].Name
	for _, want := range []string{strconv.Itoa(best.Index), strings.ToUpper(name), strings.ToLower(name[1 : len(name)-1])} {
		if got := openTest(t, Options{Device: want}).Info(); got.Name != name {
			t.Errorf("Open(%q) gives %s, want %s", want, got.Name, name)
		}
	}
	t.Setenv("VFM_DEVICE", name[:4])
	if got := openTest(t, Options{}).Info(); !strings.HasPrefix(got.Name, name[:4]) {
		t.Errorf("VFM_DEVICE=%s gives %s", name[:4], got.Name)
	}
	var no *NoDeviceError
	if _, err := Open(Options{Device: "no such device"}); !errors.As(err, &no) || !strings.Contains(err.Error(), name) {
		t.Errorf("Open of an unknown device: %v", err)
	}
	t.Setenv("VFM_DEVICE", "999")
	if _, err := Open(Options{}); !errors.As(err, &no) || no.Source != "VFM_DEVICE" {
		t.Errorf("Open with VFM_DEVICE=999: %v", err)
	}
}
