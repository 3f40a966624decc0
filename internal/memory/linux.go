//go:build linux

package memory

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func available() int64 {
	have := int64(math.MaxInt64)
	if info := meminfo(); info["MemAvailable"] > 0 {
		have = info["MemAvailable"] + info["SwapFree"]
	}
	return min(have, AddressSpace(), group("/proc/self/cgroup", "/sys/fs/cgroup"))
}

// AddressSpace is the rest of the limit `ulimit -v` in bytes, or math.MaxInt64 without a limit.
func AddressSpace() int64 {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &limit) != nil || limit.Cur >= math.MaxInt64 {
		return math.MaxInt64
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return int64(limit.Cur)
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(text) + " 0")[0], 10, 64)
	return max(int64(limit.Cur)-pages*int64(os.Getpagesize()), 0)
}

// meminfo reads /proc/meminfo, in bytes.
func meminfo() map[string]int64 {
	info := map[string]int64{}
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return info
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		if words := strings.Fields(rest); len(words) > 0 {
			n, _ := strconv.ParseInt(words[0], 10, 64)
			info[name] = n << 10
		}
	}
	return info
}

// group is the memory in bytes that the process's control group and those above it leave. Their
// files are below root.
func group(self, root string) int64 {
	have := int64(math.MaxInt64)
	text, _ := os.ReadFile(self)
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		words := strings.SplitN(line, ":", 3)
		if len(words) < 3 {
			continue
		}
		dir, limit, used, cache := root, "memory.max", "memory.current", "inactive_file"
		switch words[1] {
		case "": // version 2
		case "memory":
			dir, limit, used, cache = filepath.Join(root, "memory"), "memory.limit_in_bytes",
				"memory.usage_in_bytes", "total_inactive_file"
		default:
			continue
		}
		// In a container the path may be that of the host and missing. Then only the root counts.
		for at := filepath.Clean("/" + words[2]); ; at = filepath.Dir(at) {
			at := filepath.Join("/", at)
			if most, ok := number(filepath.Join(dir, at, limit)); ok {
				now, _ := number(filepath.Join(dir, at, used))
				have = min(have, max(most-max(
					now-stat(filepath.Join(dir, at, "memory.stat"), cache), 0), 0))
			}
			if at == "/" {
				break
			}
		}
	}
	return have
}

// number reads a file with one number. ok is false for "max" and for missing files.
func number(path string) (n int64, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// stat gives the number after a name in a file of names and numbers.
func stat(path, name string) int64 {
	text, _ := os.ReadFile(path)
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return n
		}
	}
	return 0
}
