extension MergePlanner {
  /// Merges the attributes and contents of what both have.
  mutating func mergeNodes() throws(FileError) {
    for node in theirs.nodes.sorted() where !replaced.contains(node) && !isAside(node) {
      guard try theirs.value.isAlive(node) else { continue }
      let isTheirs = try theirs.has(node)
      var isOurs = try ours.has(node)
      // Of a hard link from below maybe no name is known any more, and still it has one.
      if !isTheirs { isOurs = try ours.value.isAlive(node) }
      if isOurs {
        let before = try isNew(node) ? nil : node
        try mergeRecords(ancestor: before, ours: node, theirs: node)
      } else if isTheirs, try !isNew(node), !isReported.contains(node),
        try isChanged(node, node, in: theirs)
      {
        try reportRemovedByUs(node)
      }
    }
  }

  /// Merges one record field by field. What only one side has changed is taken from it.
  mutating func mergeRecords(
    ancestor before: NodeID?, ours our: NodeID, theirs their: NodeID
  ) throws(FileError) {
    let old = try before.map { id throws(FileError) in try ancestor.record(id) }
    let mine: Node
    if let known = records[our] { mine = known } else { mine = try ours.value.record(our) }
    let its = try theirs.value.record(their)
    guard mine.kind == its.kind else { return }
    var fields = FieldMerge(old: old, ours: mine, theirs: its)
    fields.mergeAttributes()
    let values = try fields.mergeExtended(
      try before.map { id throws(FileError) in try ancestor.extendedAttributes(id) },
      try ours.value.extendedAttributes(our), try theirs.value.extendedAttributes(their))
    let text = try mergeContent(&fields, our)
    if !fields.conflicts.isEmpty {
      let choice = try resolve(
        .bothChanged, at: nil, Nodes(before, our, their), fields.conflicts.sorted(), text: text)
      if choice == nil, let text, let labels, fields.conflicts == ["content"] {
        // The conflict goes into the file.
        conflicts.removeLast()
        try fields.result.become(text.marked(labels), from: fields.mine, comparison, layer)
        note(our, .markers, &fields)
      } else {
        try apply(choice, to: &fields, our)
      }
    }
    var result = fields.result
    if fields.isChanged {
      let chosen = fields.takesTheirs(extended: values)
      result.xattrs = chosen.isEmpty ? .empty : ExtendedAttributes(chosen)
      records[our] = result
    }
  }

  private mutating func apply(
    _ choice: MergeChoice?, to fields: inout FieldMerge, _ node: NodeID
  ) throws(FileError) {
    switch choice {
    case nil, .ours: fields.keepOurs()
    case .theirs: fields.takeTheirs()
    case .merged(let bytes):
      guard let mine = fields.mine else {
        throw FileError(.invalidArgument, "merged content is for files only")
      }
      try fields.result.become(bytes, from: mine, comparison, layer)
      note(node, .given, &fields)
    }
  }

  /// Content that neither side has had is as new as the merge.
  private mutating func note(
    _ node: NodeID, _ way: MergedFile.Way, _ fields: inout FieldMerge
  ) {
    fields.isChanged = true
    fields.result.modified = now
    merged.append(MergedFile(path: ours.value.path(of: node) ?? [], node: node, way: way))
  }

  /// - Returns: for a conflict between texts, what is known of it.
  private mutating func mergeContent(
    _ fields: inout FieldMerge, _ node: NodeID
  ) throws(FileError) -> LineMerge? {
    if case .symlink(let mine) = fields.ours.body, case .symlink(let its) = fields.theirs.body {
      if mine.target != its.target { fields.conflicts.append("content") }
      return nil
    }
    guard let mine = SizedContent(fields.ours), let its = SizedContent(fields.theirs),
      try !comparison.isEqual(mine, its)
    else { return nil }
    guard let old = fields.old.flatMap(SizedContent.init) else {
      fields.conflicts.append("content")
      let merge = ContentMerge(comparison: comparison, ancestor: .empty, ours: mine, theirs: its)
      if case .conflict(let text) = try merge.run() { return text }
      return nil
    }
    if try comparison.isEqual(old, its) { return nil }
    if try comparison.isEqual(old, mine) {
      fields.takeContent()
      return nil
    }
    let merge = ContentMerge(comparison: comparison, ancestor: old, ours: mine, theirs: its)
    switch try merge.run() {
    case .text(let bytes):
      try fields.result.become(bytes, from: mine, comparison, layer)
      note(node, .lines, &fields)
    case .blocks(let blocks, let size):
      try fields.result.take(blocks, of: its, size: size, comparison, layer)
      note(node, .blocks, &fields)
    case .conflict(let text):
      fields.conflicts.append("content")
      return text
    }
    return nil
  }
}

extension Node {
  /// Makes the content of a file these bytes.
  mutating func become(
    _ bytes: [UInt8], from former: SizedContent?, _ comparison: ContentComparison, _ layer: Layer
  ) throws(FileError) {
    guard let former, case .file(var content) = body else { return }
    try content.rewrite(bytes, from: former, comparison, layer)
    try finish(&content, Int64(bytes.count), comparison, layer)
  }

  /// Takes blocks of another content.
  mutating func take(
    _ blocks: [UInt64], of other: SizedContent, size: Int64, _ comparison: ContentComparison,
    _ layer: Layer
  ) throws(FileError) {
    guard case .file(var content) = body else { return }
    try content.share(blocks, of: other, comparison, owner: layer.id)
    try finish(&content, size, comparison, layer)
  }

  private mutating func finish(
    _ content: inout FileContent, _ size: Int64, _ comparison: ContentComparison, _ layer: Layer
  ) throws(FileError) {
    var context = WriteContext(
      layer: layer, sealedThrough: .base, reader: comparison.reader)
    if size < self.size { try content.shrink(to: size, &context) }
    if let below = content.below, below.limit == 0 { content.below = nil }
    if content.below == nil, content.extents.isEmpty { content.owner = layer }
    self.size = size
    body = .file(content)
  }
}
