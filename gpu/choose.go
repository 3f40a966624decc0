package gpu

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// List returns the Vulkan devices of this computer, including those that cannot be used (see
// Info.Unusable). Errors: *NoLoaderError, *NoDriverError.
func List() ([]Info, error) {
	i, err := newInstance(false, nil)
	if err != nil {
		return nil, err
	}
	defer i.close()
	cs, err := i.candidates()
	if err != nil {
		return nil, err
	}
	return infos(cs), nil
}

func (i *instance) candidates() ([]*candidate, error) {
	ps, err := i.physical()
	if err != nil {
		return nil, err
	}
	var cs []*candidate
	for k, p := range ps {
		c, err := i.query(k, p)
		if err != nil {
			return nil, err
		}
		cs = append(cs, c)
	}
	return cs, nil
}

func infos(cs []*candidate) []Info {
	out := make([]Info, len(cs))
	for k, c := range cs {
		out[k] = c.info
	}
	return out
}

// choose returns the index of the device that want names: an index, or a part of a device or driver
// name in upper or lower case. If want is empty, $VFM_DEVICE counts, and if that is empty too, the
// best usable device. The order is discrete, integrated, virtual, CPU; of equals the first. If a
// name fits several devices, the best of them is taken.
func choose(have []Info, want string) (int, error) {
	source := ""
	if want == "" {
		if want = strings.TrimSpace(os.Getenv("VFM_DEVICE")); want != "" {
			source = "VFM_DEVICE"
		}
	}
	fail := func(reason string) error {
		names := make([]string, len(have))
		for k, h := range have {
			names[k] = fmt.Sprintf("%d: %s", k, h.Name)
		}
		return &NoDeviceError{Want: want, Source: source, Have: names, Reason: reason}
	}
	// A number below a hundred is an index. Larger ones are parts of names, such as 4090.
	if n, err := strconv.Atoi(want); err == nil && n < 100 {
		if n < 0 || n >= len(have) {
			return 0, fail("")
		}
		if have[n].Unusable != "" {
			return 0, fail(have[n].Unusable)
		}
		return n, nil
	}
	best, reason := -1, ""
	for k, h := range have {
		if !nameFits(h, want) {
			continue
		}
		if h.Unusable != "" {
			reason = h.Name + ": " + h.Unusable
			continue
		}
		if best < 0 || h.Type.rank() > have[best].Type.rank() {
			best = k
		}
	}
	if best < 0 {
		return 0, fail(reason)
	}
	return best, nil
}

func nameFits(h Info, want string) bool {
	want = strings.ToLower(want)
	return strings.Contains(strings.ToLower(h.Name), want) || strings.Contains(strings.ToLower(h.DriverName), want)
}
