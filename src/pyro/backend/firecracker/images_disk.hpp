// The first disk of a guest: the images of its layers one after the other. Firecracker knows raw disks only,
// so they are put together in a file: shared blocks where the file system can (reflinks), copies elsewhere.
#pragma once

#include <string>
#include <vector>

namespace pyro::backend::firecracker {

/// Makes `target` anew; readable by everybody, since Firecracker is nobody.
void make_images_disk(const std::vector<std::string>& images, const std::string& target);

} // namespace pyro::backend::firecracker
