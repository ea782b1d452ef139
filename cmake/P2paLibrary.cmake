# The C++ library: the objects of all modules in one archive, libp2pagents.a, without the simulated
# world, which has its own, libp2pagents-sim.a. In this tree and installed: p2pagents::p2pagents,
# p2pagents::sim.
include(GNUInstallDirs)
get_property(modules GLOBAL PROPERTY P2PA_MODULES)

# p2pa_archive(<target> <modules...>): one archive of the modules' objects; links what they link.
function(p2pa_archive target)
  add_library(${target} STATIC)
  foreach(module IN LISTS ARGN)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${module}>)
  endforeach()
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  target_compile_features(${target} PUBLIC cxx_std_23)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:p2pa_settings>)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

set(core_modules ${modules})
list(REMOVE_ITEM core_modules p2pa_sim)
p2pa_archive(p2pagents ${core_modules})
add_library(p2pagents::p2pagents ALIAS p2pagents)
foreach(line IN LISTS P2PA_LAYERS)
  string(REGEX REPLACE "^.*\\|" "" libraries "${line}")
  separate_arguments(libraries UNIX_COMMAND "${libraries}")
  list(TRANSFORM libraries PREPEND P2pa::)
  target_link_libraries(p2pagents PRIVATE ${libraries})
endforeach()

if(TARGET p2pa_sim)
  p2pa_archive(p2pagents_sim p2pa_sim)
  set_target_properties(p2pagents_sim PROPERTIES OUTPUT_NAME p2pagents-sim EXPORT_NAME sim)
  target_link_libraries(p2pagents_sim PUBLIC p2pagents)
  add_library(p2pagents::sim ALIAS p2pagents_sim)
endif()
