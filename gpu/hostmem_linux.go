package gpu

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// hostFree returns the bytes of memory that the system could still give this process without
// swapping, or -1 if unknown. It is the smaller of the kernel's estimate and what the limit of the
// control group leaves, if there is one (containers).
func hostFree() int64 {
	free := int64(-1)
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if rest, ok := strings.CutPrefix(s.Text(), "MemAvailable:"); ok {
				if kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64); err == nil {
					free = kb << 10
				}
			}
		}
	}
	limit, used := cgroupNumber("memory.max"), cgroupNumber("memory.current")
	if limit >= 0 && used >= 0 {
		left := max(0, limit-used+cgroupCache())
		if free < 0 || left < free {
			free = left
		}
	}
	return free
}

// cgroupNumber reads a number of the process's version 2 control group as seen in a container. It
// returns -1 if there is none.
func cgroupNumber(file string) int64 {
	b, err := os.ReadFile("/sys/fs/cgroup/" + file)
	if err != nil {
		return -1
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil { // no limit: the file says "max"
		return -1
	}
	return n
}

// cgroupCache returns how many bytes of the control group's memory are file cache, which the kernel
// frees when memory is needed.
func cgroupCache() int64 {
	b, err := os.ReadFile("/sys/fs/cgroup/memory.stat")
	if err != nil {
		return 0
	}
	sum := int64(0)
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "inactive_file" || name == "active_file" {
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				sum += n
			}
		}
	}
	return sum
}
