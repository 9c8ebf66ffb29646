import Testing

@testable import StrataFUSE

@Suite struct ListingHabitsTests {
  private let habits = ListingHabits()

  /// Lists a directory of ten files and looks at some of them.
  private func list(_ directory: UInt64, by process: UInt32, thenLooksAt count: Int) -> Bool {
    let looks = habits.looks(process, at: directory, fromStart: true)
    if !looks { habits.listed(10, in: directory, by: process) }
    for _ in 0..<count { habits.lookedUp(in: directory, by: process) }
    return looks
  }

  @Test func `who looks at nothing gets names alone from the second directory on`() {
    let answers = (1...200).map { list(UInt64($0), by: 1, thenLooksAt: 0) }
    #expect(answers == [true] + Array(repeating: false, count: 199))
  }

  @Test func `who looks at what is listed gets attributes, but for a directory now and then`() {
    let answers = (1...200).map { list(UInt64($0), by: 1, thenLooksAt: 10) }
    #expect(answers.filter { !$0 }.count == 4 && answers[0] && !answers[1] && answers[2])
  }

  @Test func `who changes is found out`() {
    for directory in 1...50 { _ = list(UInt64(directory), by: 1, thenLooksAt: 0) }
    let answers = (51...150).map { list(UInt64($0), by: 1, thenLooksAt: 10) }
    #expect(answers.last == true)
  }

  @Test func `processes are kept apart, and the rest of a listing goes on as it began`() {
    for directory in 1...3 {
      #expect(list(UInt64(directory), by: 1, thenLooksAt: 0) == (directory == 1))
      #expect(list(UInt64(directory), by: 2, thenLooksAt: 10) == (directory != 2))
    }
    #expect(habits.looks(1, at: 3, fromStart: false) == false)
    #expect(habits.looks(2, at: 3, fromStart: false))
  }

  @Test func `a crowd of processes is forgotten one after the other`() {
    for process in 1...100 { #expect(list(1, by: UInt32(process), thenLooksAt: 0)) }
    #expect(list(2, by: 100, thenLooksAt: 0) == false)
    #expect(list(2, by: 1, thenLooksAt: 0))
  }
}
