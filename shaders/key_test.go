package shaders

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKernelsReadOnlyTheirKey proves, with the two tests below, that a module belongs to its key.
// A body sees its receiver, E and what the package has. Receivers hold data only, or Key panics,
// and the package has no variables that could change.
func TestKernelsReadOnlyTheirKey(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, k := range slices.Concat(everyKernel(CPUTarget(8)), everyKernel(GPUTarget(128, 16<<10))) {
		known[reflect.TypeOf(k).Name()] = true
		Build{Kernel: k}.Key()
	}
	kinds := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, s := range d.Specs {
					if name := s.(*ast.ValueSpec).Names[0].Name; name != "ownPackage" { // of the key itself
						t.Errorf("%s: the package variable %s could change what a kernel does", f.Name(), name)
					}
				}
			case *ast.FuncDecl:
				if d.Recv == nil || d.Name.Name != "Body" {
					continue
				}
				kinds++
				of, ok := d.Recv.List[0].Type.(*ast.Ident)
				if !ok {
					t.Errorf("%s: the receiver of a Body is not a value, so it may change", f.Name())
				} else if !known[of.Name] {
					t.Errorf("%s: everyKernel has no %s", f.Name(), of.Name)
				}
			}
		}
	}
	if kinds < 20 {
		t.Errorf("only %d kinds of kernels found", kinds)
	}
}

// TestEqualKeysMeanEqualBuilds draws builds of few different numbers, so that many are nearly
// equal, and checks that two have the same key exactly if they are equal.
func TestEqualKeysMeanEqualBuilds(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	byKey := map[string]Build{}
	equal := 0
	for _, k := range slices.Concat(everyKernel(CPUTarget(8)), everyKernel(GPUTarget(128, 16<<10))) {
		for range 300 {
			v := reflect.New(reflect.TypeOf(k)).Elem()
			fill(r, v, 1)
			b := Build{Kernel: v.Interface().(Kernel), Half: Halves(r.IntN(2))}
			if r.IntN(4) == 0 {
				fill(r, reflect.ValueOf(&b.Target).Elem(), 1)
			}
			key := b.Key()
			if words := strings.Fields(key); len(words) < 2 || !strings.HasPrefix(words[0], v.Type().Name()+"{") {
				t.Fatalf("the key %q does not begin with the kind of kernel", key)
			}
			was, ok := byKey[key]
			if ok && !reflect.DeepEqual(was, b) {
				t.Fatalf("the key %q is that of %+v and of %+v", key, was, b)
			}
			if ok {
				equal++
			}
			byKey[key] = b
			if again := (Build{b.Kernel, b.Target, b.Half}).Key(); again != key {
				t.Fatalf("one build has the keys %q and %q", key, again)
			}
		}
	}
	if len(byKey) < 1000 || equal < 10 {
		t.Errorf("%d keys and %d equal builds: too few for a test", len(byKey), equal)
	}
}

// fill sets every number in v at random, mostly to 0 or to few others, and every list to at most
// two entries. deep counts down the lists in lists.
func fill(r *rand.Rand, v reflect.Value, deep int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int:
		v.SetInt([]int64{0, 0, 0, 1, 11, -1}[r.IntN(6)])
	case reflect.Uint8, reflect.Uint32:
		v.SetUint([]uint64{0, 0, 1, 11}[r.IntN(4)])
	case reflect.Float64:
		v.SetFloat([]float64{0, 0, math.Copysign(0, -1), 1, 1.5, math.Inf(1)}[r.IntN(6)])
	case reflect.Slice:
		if n := r.IntN(3); n > 0 && deep > -2 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			fill(r, v.Index(i), deep-1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i), deep)
		}
	default:
		panic(v.Kind())
	}
}

// TestEveryFieldIsInTheKey changes each number of each kernel, alone.
func TestEveryFieldIsInTheKey(t *testing.T) {
	for _, k := range everyKernel(GPUTarget(128, 16<<10)) {
		v := reflect.New(reflect.TypeOf(k)).Elem()
		v.Set(reflect.ValueOf(k))
		before := Build{Kernel: k}.Key()
		leaves(v, v.Type().Name(), func(path string, x reflect.Value) {
			old := reflect.New(x.Type()).Elem()
			old.Set(x)
			switch x.Kind() {
			case reflect.Bool:
				x.SetBool(!x.Bool())
			case reflect.Int:
				x.SetInt(x.Int() + 1)
			case reflect.Float64:
				x.SetFloat(x.Float() + 1)
			default:
				x.SetUint(x.Uint() ^ 1)
			}
			if (Build{Kernel: v.Interface().(Kernel)}).Key() == before {
				t.Errorf("the key does not depend on %s", path)
			}
			x.Set(old)
		})
	}
	if (Build{Kernel: everyKernel(CPUTarget(8))[0]}).Key() == (Build{Kernel: everyKernel(CPUTarget(8))[0], Target: CPUTarget(4)}).Key() {
		t.Error("the key does not depend on the target")
	}
}

func leaves(v reflect.Value, path string, f func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			leaves(v.Index(i), path+"[]", f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			leaves(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	default:
		f(path, v)
	}
}

// secret is a kernel whose code depends on something that no key can hold.
type secret struct{ f func() int }

func (secret) Signature(Target) Signature { return Signature{} }
func (s secret) Body(e *E)                { e.C(s.f()) }

func TestNoKeyForFunctions(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a kernel that holds a function has a key")
		}
	}()
	Build{Kernel: secret{func() int { return 1 }}}.Key()
}
