internal import StrataEngine

/// What a commit is going to do to the host: written as a whole before the first change, so that
/// whoever finds it knows that all staged objects are complete.
struct HostJournal {
  var steps: [HostStep]
  /// ``CommitRecord``, in its own form.
  var record: [UInt8]

  /// The content, with its checksum behind it.
  var encoded: [UInt8] {
    var writer = PageWriter()
    writer.bytes(Array("strata commit 1".utf8))
    writer.number(UInt64(steps.count))
    for step in steps { step.write(to: &writer) }
    writer.bytes(record)
    let body = writer.result
    return body + withUnsafeBytes(of: Checksum.of(body).littleEndian, Array.init)
  }

  init(steps: [HostStep], record: [UInt8]) { (self.steps, self.record) = (steps, record) }

  /// - Throws: EIO for what is damaged.
  init(encoded bytes: [UInt8]) throws(FileError) {
    guard bytes.count > 8 else { throw .damaged }
    let body = Array(bytes.dropLast(8))
    let checksum = bytes.suffix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard Checksum.of(body) == checksum else { throw .damaged }
    var reader = PageReader(body)
    guard try reader.bytes() == Array("strata commit 1".utf8) else { throw .damaged }
    var steps: [HostStep] = []
    for _ in 0..<(try reader.count()) { steps.append(try HostStep(from: &reader)) }
    self.init(steps: steps, record: try reader.bytes())
  }
}
