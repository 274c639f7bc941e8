// An SFTP server, version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions that scp, sftp and sshfs
// use: so that files can be copied into any image, whatever is installed there. It runs in a process of its
// own, as a user of the sandbox, and does what that user may do and nothing else.
#pragma once

namespace pyro::agent {

/// Serves descriptors 0 and 1 until the end of input; relative paths begin in the current directory. The
/// process's status.
int serve_sftp();

} // namespace pyro::agent
