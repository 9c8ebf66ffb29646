import Glibc
import StrataTestSupport
import Testing

/// Directories that the kernel's overlayfs has written with `redirect_dir` and `metacopy`, as lower ones
/// and as the upper one. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct KernelLayersTests {
  let tree: TemporaryDirectory

  init() throws { tree = try TemporaryDirectory() }

  private func sh(_ script: String) throws -> String {
    let text = """
      cd '\(tree.path)'
      trap 'umount -l k s 2> /dev/null || true' EXIT
      kernel() { mount -t overlay o k -o "redirect_dir=on,metacopy=on,$1"; }
      strata() { '\(StrataProgram.path)' mount-helper none "$PWD/s" -o "$1"; }
      leave() { '\(StrataProgram.path)' umount-helper "$PWD/s"; }
      look() { (cd $1; find . -mindepth 1 -printf '%p %y %m %u %T@ ' \\
        \\( -type f -exec sh -c 'md5sum < "$0"' {} \\; -o -printf '\\n' \\) | sort); }
      \(script)
      """
    let child = try ChildProcess(["timeout", "60", "sh", "-ec", text])
    #expect(child.status == 0, "\(child.text)")
    return child.text
  }

  /// A directory renamed, then one in it moved below a new one, a file in that renamed, and one of
  /// whose two names only the attributes have changed.
  private static let layers = """
    mkdir -p l/d/e k s u w v x
    head -c 300000 /dev/urandom > l/d/e/f; head -c 10 /dev/urandom > l/d/e/small
    head -c 9000 /dev/urandom > l/d/one; ln l/d/one l/d/two
    kernel lowerdir=l,upperdir=u,workdir=w
    mv k/d k/moved; chmod 600 k/moved/e/f k/moved/one; umount k
    kernel lowerdir=u:l,upperdir=v,workdir=x
    mkdir k/new; mv k/moved/e k/new/e2; mv k/new/e2/f k/new/g; chmod 640 k/new/g
    chmod 604 k/new/e2/small; mkdir k/d; look k > want; umount k

    """

  @Test func `as lower directories they show what the kernel shows`() throws {
    let text = try sh(
      Self.layers + """
        mkdir own work; strata lowerdir=v:u:l,upperdir=own,workdir=work
        look s > got; diff want got
        echo more >> s/new/g; mv s/new/e2 s/moved/e3; look s > want2; leave
        strata lowerdir=v:u:l,upperdir=own,workdir=work; look s > got2; diff want2 got2; leave
        kernel lowerdir=own:v:u:l; look k > got3; diff want2 got3
        """)
    #expect(text == "")
  }

  @Test func `an upper directory of the kernel's goes on, and the kernel goes on with it`() throws {
    let text = try sh(
      Self.layers + """
        strata lowerdir=u:l,upperdir=v,workdir=x
        look s > got; diff want got
        echo more >> s/new/g; chmod 600 s/moved/two; look s > want2; leave
        kernel lowerdir=u:l,upperdir=v,workdir=x; look k > got2; diff want2 got2
        """)
    #expect(text == "")
  }

  @Test func `what has taken the place of the directory it was in is found again`() throws {
    let text = try sh(
      """
      mkdir -p l/d/e l/g k s u w; echo e > l/d/e/f; echo g > l/g/h
      kernel lowerdir=l,upperdir=u,workdir=w; chmod 600 k/g/h
      for n in d/e g/h; do mv k/$n k/t; rm -r k/${n%/*}; mv k/t k/${n%/*}; done
      look k > want; umount k
      strata lowerdir=l,upperdir=u,workdir=w; look s > got; diff want got; leave
      strata lowerdir=u:l; look s > got2; diff want got2
      """)
    #expect(text == "")
  }

  @Test func `the kernel lists the numbers that it tells of each entry`() throws {
    let text = try sh(
      """
      mkdir -p l/d/e k s u w; strata lowerdir=l,upperdir=u,workdir=w; echo new > s/d/e/f; leave
      kernel lowerdir=l,upperdir=u,workdir=w; for d in k k/d k/d/e; do
        python3 -c 'import os; [print(e.inode(), e.name) for e in os.scandir("'$d'")]' > listed
        (cd $d; stat -c '%i %n' *) > told; diff told listed
      done
      """)
    #expect(text == "")
  }

  @Test func `a file whose content is nowhere cannot be read as something else`() throws {
    let text = try sh(
      Self.layers + """
        mkdir own work; strata lowerdir=v,upperdir=own,workdir=work
        cat s/new/g 2>&1 | grep -o 'Input/output error'
        """)
    #expect(text == "Input/output error\n")
  }
}
