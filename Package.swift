// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors where `STRATA_WERROR` is set, as it is in continuous integration; a newer
/// compiler with a new warning must not stop somebody from building a release.
let strict: [SwiftSetting] =
  Context.environment["STRATA_WERROR"] == nil ? [] : [.treatAllWarnings(as: .error)]
let settings: [SwiftSetting] = strict + [.enableUpcomingFeature("InternalImportsByDefault")]

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
  name: "strata",
  products: [
    .executable(name: "strata", targets: ["strata"]),
    .library(name: "StrataEngine", targets: ["StrataEngine"]),
    .library(name: "FaultShim", type: .dynamic, targets: ["FaultShim"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CLuaLibrary", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(
      name: "CReadlineLibrary", pkgConfig: "readline", providers: [.apt(["libreadline-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .target(name: "CStrataSystem"),
    .target(name: "CLua", dependencies: ["CLuaLibrary"]),
    .target(name: "CReadline", dependencies: ["CReadlineLibrary"]),
    .target(
      name: "StrataSystem", dependencies: ["CStrataSystem", system], swiftSettings: settings),
    .target(name: "StrataEngine", dependencies: [system], swiftSettings: settings),
    .target(
      name: "StrataStorage", dependencies: ["StrataEngine", "StrataSystem", "CSQLite", system],
      swiftSettings: settings),
    .target(
      name: "StrataFUSE", dependencies: ["StrataEngine", "StrataSystem", "CStrataSystem", system],
      swiftSettings: settings),
    .target(
      name: "StrataLua", dependencies: ["StrataEngine", "StrataSystem", "CLua"],
      swiftSettings: settings),
    .target(
      name: "StrataShell", dependencies: ["StrataEngine", "CStrataSystem"], swiftSettings: settings),
    .executableTarget(
      name: "strata",
      dependencies: [
        "StrataEngine", "StrataStorage", "StrataFUSE", "StrataLua", "StrataShell", "StrataSystem",
        "CReadline",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "strata-bench",
      dependencies: [
        "StrataEngine", "StrataStorage", "StrataFUSE", "StrataLua", "StrataSystem",
        "CStrataSystem",
      ],
      path: "Benchmarks", swiftSettings: settings),
    .target(
      name: "StrataTestSupport", dependencies: ["StrataEngine"], path: "Tests/StrataTestSupport",
      swiftSettings: settings),
    // What the durability tests kill: random operations on a workspace on disk.
    .executableTarget(
      name: "strata-crash",
      dependencies: ["StrataEngine", "StrataStorage", "StrataTestSupport"],
      path: "Tests/CrashChild", swiftSettings: settings),
    // Two directories, the same system calls: a mount beside the kernel's own file systems.
    .executableTarget(name: "twin-trees", path: "Tests/TwinTrees"),
    .target(name: "FaultShim", path: "Tests/FaultShim"),
    .target(
      name: "NaiveModel", dependencies: [system], path: "Tests/NaiveModel",
      swiftSettings: settings),
    .testTarget(
      name: "StrataEngineTests", dependencies: ["StrataEngine", "StrataTestSupport", "NaiveModel"],
      swiftSettings: settings),
    .testTarget(
      name: "StrataStorageTests",
      dependencies: [
        "StrataStorage", "StrataSystem", "CStrataSystem", "StrataEngine", "StrataTestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "StrataFUSETests",
      dependencies: ["StrataFUSE", "StrataSystem", "StrataEngine", "StrataTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "StrataLuaTests",
      dependencies: ["StrataLua", "StrataEngine", "StrataSystem", "StrataTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "StrataShellTests",
      dependencies: ["StrataShell", "StrataEngine", "StrataTestSupport"], swiftSettings: settings),
    .testTarget(
      name: "DurabilityTests",
      dependencies: [
        "strata", "strata-crash", "StrataStorage", "StrataEngine", "StrataTestSupport", system,
      ],
      swiftSettings: settings),
    // The built program from outside: sessions, a pseudo-terminal, kernel overlayfs as an oracle.
    .testTarget(
      name: "ProgramTests",
      dependencies: [
        "strata", "twin-trees", "StrataEngine", "StrataStorage", "StrataSystem", "StrataShell",
        "StrataTestSupport", "NaiveModel",
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
