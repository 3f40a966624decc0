package gpu

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/memory"
)

// Too little memory is an error that gives both sizes. No limit is always enough. More cores need
// more address space.
func TestCheckMemory(t *testing.T) {
	const all = math.MaxInt64
	for _, c := range []struct {
		addresses, available int64
		cores                int
		want                 string // "": there is enough
	}{
		{all, all, 2, ""}, {startAddresses, all, 2, ""}, {startAddresses, all, 1, ""}, {all, startResident, 64, ""},
		{startAddresses - 1, all, 2, "ulimit -v"}, {startAddresses, all, 3, "ulimit -v"}, {0, 0, 2, "ulimit -v"},
		{startAddresses + perThread*(mostThreads-2), all, 1000, ""}, {all, startResident - 1, 2, "needs about 160 MB, and there is room for 159 MB"},
	} {
		err := checkMemory(c.addresses, c.available, c.cores)
		var short *memory.Error
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &short) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%d of addresses, %d available, %d cores: %v, want %q", c.addresses, c.available, c.cores, err, c.want)
		}
	}
}
