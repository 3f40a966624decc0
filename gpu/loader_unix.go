//go:build !darwin && !windows

package gpu

// loaderNames are tried in order. The second is the development symlink, on some systems the only
// name.
var loaderNames = []string{"libvulkan.so.1", "libvulkan.so"}

const installHint = "install the Vulkan loader and a driver: on Debian or Ubuntu `apt-get install libvulkan1 mesa-vulkan-drivers`, " +
	"on Fedora `dnf install vulkan-loader mesa-vulkan-drivers`, or the driver of the GPU's maker"
