// The first disk of a guest: the images of its layers one after the other. Firecracker knows raw disks only,
// so they are put together in a file: shared blocks where the file system can (reflinks), copies elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::backend::firecracker {

/// Its size in sectors of 512 bytes. Throws where it is no multiple of 4096 bytes.
std::uint64_t sectors_of(const std::string& image);

/// Makes `target` anew; readable by everybody, since Firecracker is nobody.
void make_images_disk(const std::vector<std::string>& images, const std::string& target);

} // namespace pyro::backend::firecracker
