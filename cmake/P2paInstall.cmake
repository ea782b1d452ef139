# What a user of the installed package gets: headers, both libraries, the tool, a CMake package
# (components cpp and c) and two pkg-config modules (p2pagents: C, shared; p2pagents-cpp: C++, static).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/p2pagents")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/p2pagents" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/LICENSE-MIT"
              "${PROJECT_SOURCE_DIR}/LICENSE-APACHE"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# p2pa_install_component(<component> <targets...>): its targets exported as p2pagents::<export name>.
function(p2pa_install_component component)
  install(TARGETS ${ARGN} EXPORT p2pagents-${component}
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
          RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  install(EXPORT p2pagents-${component} NAMESPACE p2pagents::
          FILE p2pagents-${component}.cmake DESTINATION "${package_dir}")
endfunction()

set(cpp_targets p2pagents)
if(TARGET p2pagents_sim)
  list(APPEND cpp_targets p2pagents_sim)
endif()
p2pa_install_component(cpp ${cpp_targets})
if(TARGET p2pagents_c)
  set_target_properties(p2pagents_c PROPERTIES EXPORT_NAME c)
  p2pa_install_component(c p2pagents_c)
endif()
if(TARGET p2pa)
  install(TARGETS p2pa RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/p2pagentsConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/p2pagentsConfig.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/p2pagentsConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/p2pagentsConfig.cmake"
              "${PROJECT_BINARY_DIR}/p2pagentsConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/P2paDependencies.cmake"
        DESTINATION "${package_dir}")

set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH P2PA_PREFIX_FROM_PKGCONFIG
     "${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir}" "${CMAKE_INSTALL_PREFIX}")
get_property(modules GLOBAL PROPERTY P2PA_PKGCONFIG_MODULES)
list(JOIN modules " " P2PA_PKGCONFIG_REQUIRES)
foreach(file p2pagents.pc p2pagents-cpp.pc)
  configure_file("${CMAKE_CURRENT_LIST_DIR}/${file}.in" "${PROJECT_BINARY_DIR}/${file}" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${file}" DESTINATION "${pkgconfig_dir}")
endforeach()
