package weights

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/vfmrestore/restore/internal/atomicfile"
)

// Load reads the `.vfm` file at path with the default limits. The error names the path.
func Load(path string) (*File, error) {
	if st, err := os.Stat(path); err == nil && st.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0 { // before it is opened, which would wait for a writer
		return nil, fmt.Errorf("%s: it is not a regular file", path)
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, err // names the path itself
	}
	defer in.Close()
	st, err := in.Stat()
	switch {
	case err == nil && st.IsDir():
		return nil, fmt.Errorf("%s: it is a directory, not a weights file", path)
	case err == nil && !st.Mode().IsRegular():
		return nil, fmt.Errorf("%s: it is not a regular file", path)
	}
	f, err := Read(in, Limits{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Save writes f to path, as a plain safetensors file if that ends in .safetensors, through a temporary file beside it: after an error or a crash, what was at path before is still there.
func Save(path string, f *File) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		buf := bufio.NewWriterSize(w, 1<<20)
		if strings.HasSuffix(path, ".safetensors") {
			plain, err := safetensors(f)
			if err != nil {
				return err
			}
			if _, err := buf.Write(plain); err != nil {
				return err
			}
		} else if err := Encode(buf, f); err != nil {
			return err
		}
		return buf.Flush()
	})
}

// The directory, not the file, is embedded, so that a checkout without trained weights still builds.
//
//go:embed default
var embedded embed.FS

// DefaultName is the file in weights/default that Default reads, KernelsName the one that Kernels reads.
const (
	DefaultName = "edge.vfm"
	KernelsName = "kernels.vfm"
)

// MissingDefaultError says that the binary was built before there were weights to embed.
type MissingDefaultError struct{}

func (*MissingDefaultError) Error() string {
	return "this program was built without weights: give a .vfm file (restore -weights FILE), or put one at weights/default/" +
		DefaultName + " and build again"
}

// Default decodes the weights embedded in the binary; each call gives its own copy. Without any it fails with a
// [*MissingDefaultError].
func Default() (*File, error) {
	f, err := fromBinary(DefaultName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissingDefaultError{}
	}
	return f, err
}

// Kernels decodes the embedded weights of the network that reads motion blur's kernels (nets.KernelMaps). It fails if the binary was built without.
func Kernels() (*File, error) { return fromBinary(KernelsName) }

// Specials lists the embedded weights for some tasks only, each by the names of its tasks, which stand in the file's name: weights/default/super-resolve+gaussian-deblur.vfm.
func Specials() (list [][]string) {
	entries, err := embedded.ReadDir("default")
	if err != nil {
		return nil // the folder is embedded: it can be read
	}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".vfm"); ok && e.Name() != DefaultName && e.Name() != KernelsName {
			list = append(list, strings.Split(name, "+"))
		}
	}
	return list
}

// SpecialName is the file of the embedded weights for tasks of these names.
func SpecialName(tasks []string) string { return strings.Join(tasks, "+") + ".vfm" }

// Special decodes one of Specials. It fails if the binary was built without.
func Special(tasks []string) (*File, error) { return fromBinary(SpecialName(tasks)) }

func fromBinary(name string) (*File, error) {
	packed, err := embedded.ReadFile("default/" + name)
	if err != nil {
		return nil, fmt.Errorf("this program was built without weights/default/%s: %w", name, err)
	}
	f, err := Decode(packed, Limits{})
	if err != nil {
		return nil, fmt.Errorf("embedded %s: %w", name, err)
	}
	return f, nil
}
