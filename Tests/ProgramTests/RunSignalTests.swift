import Glibc
import Testing

/// Signals that are sent to who waits for a run's program, or to all in its process group.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct RunSignalTests {
  private let tree: TemporaryDirectory
  private let place: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    place = try TemporaryDirectory()
  }

  /// Runs Python that has what is needed to start a run and to see what its program says.
  private func python(_ lines: String) throws {
    let script = """
      import os, signal, subprocess, sys, time
      out = '\(place.path)/out'
      def run(options, program, **more):
          return subprocess.Popen(['\(StrataProgram.path)', 'run', '-q', *options, '--', 'python3', '-c', program],
              cwd='\(tree.path)', start_new_session=True, **more)
      def said(count):
          for _ in range(400):
              lines = open(out).read().split() if os.path.exists(out) else []
              if len(lines) >= count: return lines
              time.sleep(0.05)
          sys.exit(f'only {lines} of {count}')
      def expect(is_so, what):
          if not is_so: sys.exit(f'{what}')
      says = f\"\"\"
      import os, signal, subprocess, sys, time
      def say(word):
          with open('{out}', 'a') as f: f.write(str(word) + chr(10))
      def on(number, frame): say(number)
      \"\"\"
      \(lines)
      """
    let result = try Finished.run("/usr/bin/python3", ["-c", script], in: "/")
    #expect(result.status == 0, "\(result)")
  }

  @Test func `all that somebody sends goes on to the program`() throws {
    try python(
      """
      numbers = [1, 2, 3, 15, 10, 12, 14, 26, 27, 29, 30, signal.SIGRTMIN + 3]
      run_ = run([], says + f\"\"\"
      for number in {numbers}: signal.signal(number, on)
      say('ready')
      while not os.path.exists('{out}.end'): time.sleep(0.02)
      sys.exit(3)\"\"\")
      said(1)
      for count, number in enumerate(numbers):
          run_.send_signal(number)
          lines = said(count + 2)
          expect(lines[-1] == str(int(number)), lines)
      open(out + '.end', 'w')
      expect(run_.wait() == 3, run_.returncode)
      """)
  }

  @Test(arguments: ["", "'--contain'"])
  func `a program that does nothing about it is ended`(_ options: String) throws {
    try python(
      """
      for number in [15, 2, 10]:
          if os.path.exists(out): os.remove(out)
          run_ = run([\(options)], says + 'say(0); time.sleep(30)')
          said(1)
          run_.send_signal(number)
          begin = time.time()
          # Python ends by SIGINT as by an exception, and says so.
          expect(run_.wait() == 128 + number and time.time() - begin < 10, (number, run_.returncode))
      """)
  }

  @Test(arguments: ["", "'--contain'"])
  func `a signal to the process group reaches the program once`(_ options: String) throws {
    // The last one queues where it comes twice.
    try python(
      """
      numbers = [2, 15, 10, signal.SIGRTMIN + 3]
      run_ = run([\(options)], says + f\"\"\"
      for number in {numbers}: signal.signal(number, on)
      say('ready')
      while not os.path.exists('{out}.end'): time.sleep(0.02)\"\"\")
      said(1)
      for count, number in enumerate(numbers):
          os.killpg(run_.pid, number)
          said(count + 2)
          time.sleep(0.3)
      open(out + '.end', 'w')
      expect(run_.wait() == 0, run_.returncode)
      expect(said(5) == ['ready'] + [str(int(number)) for number in numbers], said(5))
      """)
  }

  @Test func `what comes while a contained program begins is not lost`() throws {
    try python(
      """
      for milliseconds in range(0, 60):
          run_ = run(['--contain'], 'import time; time.sleep(5)')
          time.sleep(milliseconds / 1000)
          run_.terminate()
          expect(run_.wait() in (-15, 143), (milliseconds, run_.returncode))
      """)
  }

  @Test func `who started strata may ignore the end of its children`() throws {
    try python(
      """
      for options in [[], ['--contain']]:
          run_ = run(options, 'raise SystemExit(3)',
              preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
          expect(run_.wait() == 3, (options, run_.returncode))
      """)
  }

  @Test func `what is left behind is asked to end once, and has the time to`() throws {
    try python(
      """
      run_ = run([], says + f\"\"\"
      if os.fork() == 0:
          def end(number, frame):
              say('cleaning'); time.sleep(0.5); say('clean'); os._exit(0)
          signal.signal(15, end); signal.signal(2, signal.SIG_IGN)
          say('left')
          time.sleep(30)
      \"\"\")
      said(1)
      time.sleep(0.5)
      os.killpg(run_.pid, 2)
      run_.wait()
      expect(said(3) == ['left', 'cleaning', 'clean'], said(3))
      """)
  }

  @Test func `an alarm that was set before ends the program`() throws {
    try python(
      """
      begin = time.time()
      run_ = run([], 'import time; time.sleep(30)', preexec_fn=lambda: signal.alarm(2))
      expect(run_.wait() == 128 + 14 and time.time() - begin < 10, run_.returncode)
      """)
  }

  @Test func `what was ignored before is ignored by the programs`() throws {
    try python(
      """
      def ignore():
          for number in [1, 2, 3]: signal.signal(number, signal.SIG_IGN)
      show = "print([l for l in open('/proc/self/status') if l.startswith('SigIgn')][0].split()[1])"
      for options in [[], ['-j', '2', '--forks', 'a,b', '--raw']]:
          run_ = run(options, show, preexec_fn=ignore, stdout=subprocess.PIPE)
          words = run_.communicate()[0].split()
          masks = [int(word, 16) & 7 for word in words if len(word) == 16]
          expect(masks == [7] * max(1, len(options) // 2), (options, words))
      """)
  }
}
