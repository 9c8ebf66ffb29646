enum ContentBenchmarks { static func run() throws {} }
