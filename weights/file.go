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

// Load reads the `.vfm` file at path with the default limits. Its errors name the path.
func Load(path string) (*File, error) {
	// Checked before opening, because opening a pipe would wait for a writer.
	if st, err := os.Stat(path); err == nil && st.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0 {
		return nil, fmt.Errorf("%s: it is not a regular file", path)
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, err // it names the path
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

// Save writes f to path, through a temporary file in the same folder: after an error or a crash the
// old file is still there. If path ends in .safetensors, it is a plain safetensors file, else a
// `.vfm` file.
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

// The folder is embedded, not the file, so that a checkout without trained weights still builds.
//
//go:embed default
var embedded embed.FS

// Names of files in weights/default: Default reads DefaultName, Kernels reads KernelsName.
const (
	DefaultName = "edge.vfm"
	KernelsName = "kernels.vfm"
)

// MissingDefaultError says that the binary was built without weights.
type MissingDefaultError struct{}

func (*MissingDefaultError) Error() string {
	return "this program was built without weights: give a .vfm file (restore -weights FILE), or put one at weights/default/" +
		DefaultName + " and build again"
}

// Default decodes the weights embedded in the binary. Every call returns a new copy. If there are
// none, it fails with a [*MissingDefaultError].
func Default() (*File, error) {
	f, err := fromBinary(DefaultName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissingDefaultError{}
	}
	return f, err
}

// DefaultMeta is the Meta of Default. It reads only the beginning of the file, so it does not
// notice damage further on. Errors: as Default's.
func DefaultMeta() (map[string]string, error) {
	meta, err := metaFromBinary(DefaultName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissingDefaultError{}
	}
	return meta, err
}

// Kernels decodes the embedded weights of the network that estimates blur kernels
// (nets.KernelMaps). It fails if the binary was built without them.
func Kernels() (*File, error) { return fromBinary(KernelsName) }

// Specials lists the embedded weights that are for some tasks only. Each entry holds the names of
// the tasks, which are in the name of the file, as in
// weights/default/super-resolve+gaussian-deblur.vfm.
func Specials() (list [][]string) {
	entries, err := embedded.ReadDir("default")
	if err != nil {
		return nil // cannot happen: the folder is embedded
	}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".vfm"); ok && e.Name() != DefaultName && e.Name() != KernelsName {
			list = append(list, strings.Split(name, "+"))
		}
	}
	return list
}

// SpecialName returns the file name of the embedded weights for the given tasks.
func SpecialName(tasks []string) string { return strings.Join(tasks, "+") + ".vfm" }

// Special decodes one of Specials. It fails if the binary was built without it.
func Special(tasks []string) (*File, error) { return fromBinary(SpecialName(tasks)) }

// SpecialMeta is the Meta of Special, read as by DefaultMeta.
func SpecialMeta(tasks []string) (map[string]string, error) {
	return metaFromBinary(SpecialName(tasks))
}

func metaFromBinary(name string) (map[string]string, error) {
	in, err := embedded.Open("default/" + name)
	if err != nil {
		return nil, fmt.Errorf("this program was built without weights/default/%s: %w", name, err)
	}
	defer in.Close()
	st, err := in.Stat()
	if err == nil {
		var meta map[string]string
		if meta, err = readMeta(in, st.Size()); err == nil {
			return meta, nil
		}
	}
	return nil, fmt.Errorf("embedded %s: %w", name, err)
}

// readMeta reads the metadata of a compressed file of size bytes and nothing behind them.
func readMeta(packed io.Reader, size int64) (map[string]string, error) {
	lim := Limits{}.withDefaults(size)
	dec, err := decompress(packed, lim)
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	h, err := readHeader(dec, lim)
	if err != nil {
		return nil, err
	}
	return h.meta, nil
}

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
