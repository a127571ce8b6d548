# Projects of a stranger, by CMake, in a folder of their own.

# cmake_project FOLDER LANGUAGES SOURCE TARGET VERSION CMAKE_ARGUMENT...: configures and builds a program "storage".
cmake_project() {
    local folder=$1 languages=$2 source=$3 target=$4 version=$5
    shift 5
    mkdir -p "$folder"
    cp "$source" "$folder"
    cat >"$folder/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.16)
project(storage $languages)
find_package(mvx_metrics $version REQUIRED)
add_executable(storage ${source##*/})
target_link_libraries(storage PRIVATE $target)
END
    cmake -S "$folder" -B "$folder/build" "$@" && cmake --build "$folder/build"
}
