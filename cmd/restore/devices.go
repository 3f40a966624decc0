package main

import (
	"fmt"

	"github.com/vfmrestore/restore/gpu"
)

// devices lists the Vulkan devices in the order of the indices that -device takes.
func (a *app) devices(args []string) error {
	fs := flagSet("devices")
	verbose := fs.Bool("v", false, "")
	names, err := a.parse(fs, args, devicesHelp)
	if err != nil {
		return err
	}
	if err := refuseNames(names); err != nil {
		return err
	}
	list, err := gpu.List()
	if err != nil {
		return err
	}
	for _, d := range list {
		fmt.Fprintf(a.out, "%d: %s (%v, Vulkan %v", d.Index, oneLine(d.Name), d.Type, d.API)
		if d.DriverName != "" {
			fmt.Fprintf(a.out, ", %s", oneLine(d.DriverName+" "+d.DriverInfo))
		}
		fmt.Fprint(a.out, ")")
		if d.Unusable != "" {
			fmt.Fprintf(a.out, " — cannot be used: %s", oneLine(d.Unusable))
		}
		fmt.Fprintln(a.out)
		if *verbose {
			c := d.Caps
			fmt.Fprintf(a.out, "   subgroup %d, shared memory %d KiB, heap %d MiB (free %d MiB), fp16 %v, unified %v, buffer addresses %v, 16-bit storage %v, cooperative matrices %s\n",
				c.SubgroupSize, c.MaxShared>>10, c.HeapSize>>20, c.HeapBudget>>20, c.Float16, c.Unified, c.BufferDeviceAddress, c.Storage16, matrices(c.Matrix))
		}
	}
	return nil
}

// matrices describes the cooperative matrices of a device.
func matrices(m [3]int) string {
	if m[0] == 0 {
		return "none"
	}
	return fmt.Sprintf("%d×%d×%d", m[0], m[1], m[2])
}
