package trainhost

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/restore/task"
)

// Counts is the number of pictures of each class in a batch, in the order of METHOD §4: denoise,
// inpaint-random, inpaint-box, super-resolve, gaussian-deblur, motion-deblur. Classes that are
// harder to learn may have more. A network for some tasks only has 0 for the others.
type Counts [Classes]int

// PerClass gives every class n pictures.
func PerClass(n int) (c Counts) {
	for i := range c {
		c[i] = n
	}
	return c
}

// ParseCounts reads one number for all classes, or six separated by commas.
func ParseCounts(s string) (c Counts, err error) {
	parts := strings.Split(s, ",")
	if len(parts) != 1 && len(parts) != Classes {
		return c, fmt.Errorf("pictures per class: %q: must be one number, or %d separated by commas", s, Classes)
	}
	for i := range c {
		if c[i], err = strconv.Atoi(strings.TrimSpace(parts[min(i, len(parts)-1)])); err != nil {
			return c, fmt.Errorf("pictures per class: %q is not a list of numbers", s)
		}
	}
	return c, c.validate()
}

func (c Counts) validate() error {
	for _, n := range c {
		if n < 0 || n > 1024 {
			return fmt.Errorf("pictures per class: %d, must be 0 to 1024", n)
		}
	}
	if c.Total() == 0 {
		return errors.New("pictures per class: all are 0: at least one must be positive")
	}
	return nil
}

// String returns the counts in the form that ParseCounts reads.
func (c Counts) String() string {
	if c == PerClass(c[0]) {
		return fmt.Sprint(c[0])
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprint([Classes]int(c)), "[]"), " ", ",")
}

// UnmarshalJSON also accepts one number for all classes.
func (c *Counts) UnmarshalJSON(b []byte) error {
	var n int
	if json.Unmarshal(b, &n) == nil {
		*c = PerClass(n)
		return nil
	}
	return json.Unmarshal(b, (*[Classes]int)(c))
}

// Total is the size of the batch.
func (c Counts) Total() int { return c.Start(Classes) }

// present lists the classes that have pictures.
func (c Counts) present() (classes []int) {
	for class, n := range c {
		if n > 0 {
			classes = append(classes, class)
		}
	}
	return classes
}

// tasks lists the tasks of the classes that have pictures.
func (c Counts) tasks() (ts []task.Task) {
	for _, class := range c.present() {
		ts = append(ts, classTask[class])
	}
	return ts
}

// Start is the index of a class's first picture.
func (c Counts) Start(class int) int {
	n := 0
	for _, k := range c[:class] {
		n += k
	}
	return n
}

// Class is the class of a picture.
func (c Counts) Class(picture int) int {
	class := 0
	for ; class < Classes-1 && picture >= c[class]; class++ {
		picture -= c[class]
	}
	return class
}
