package bench
import ("testing";"github.com/vfmrestore/restore/gpu";"time")
func TestPeakX(t *testing.T){ d,err:=gpu.Open(gpu.Options{}); if err!=nil{t.Fatal(err)}; defer d.Close(); for range 2 { t0:=time.Now(); p,err:=Peak(d); t.Log(p/1e9,err,time.Since(t0)) } }
